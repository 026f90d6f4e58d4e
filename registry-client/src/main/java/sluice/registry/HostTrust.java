package sluice.registry;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whom TLS trusts: the CAs of the JDK and those of the host's bundle, where administrators put the
 * CA of their own registry. {@code SSL_CERT_FILE} names another bundle, as it does for Go programs.
 *
 * @param sockets makes TLS connections that trust them
 * @param manager the same for OkHttp, which also needs the certificates
 */
record HostTrust(SSLSocketFactory sockets, X509TrustManager manager) {

  private static final Logger log = LoggerFactory.getLogger(HostTrust.class);

  /** Where Linux distributions keep the bundle (the list of Go's crypto/x509, root_linux.go). */
  private static final List<String> BUNDLES =
      List.of(
          "/etc/ssl/certs/ca-certificates.crt",
          "/etc/pki/tls/certs/ca-bundle.crt",
          "/etc/ssl/ca-bundle.pem",
          "/etc/pki/tls/cacert.pem",
          "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
          "/etc/ssl/cert.pem");

  /** A bundle of the 150 CAs of the web has 220 KiB. */
  private static final int MAX_BUNDLE_BYTES = 16 * 1024 * 1024;

  static HostTrust of(Map<String, String> environment) throws IOException {
    try {
      KeyStore all = KeyStore.getInstance(KeyStore.getDefaultType());
      all.load(null, null);
      int added = 0;
      for (X509Certificate known : manager(null).getAcceptedIssuers()) {
        all.setCertificateEntry("jdk-" + added++, known);
      }
      for (Certificate ofHost : bundle(environment)) {
        all.setCertificateEntry("host-" + added++, ofHost);
      }
      X509TrustManager manager = manager(all);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {manager}, null);
      return new HostTrust(context.getSocketFactory(), manager);
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS of this JDK does not work: " + e.getMessage(), e);
    }
  }

  private static List<Certificate> bundle(Map<String, String> environment) {
    Optional<Path> file = file(environment);
    if (file.isEmpty()) {
      return List.of();
    }
    try (InputStream in = Files.newInputStream(file.get())) {
      byte[] pem = in.readNBytes(MAX_BUNDLE_BYTES);
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      return new ArrayList<>(factory.generateCertificates(new ByteArrayInputStream(pem)));
    } catch (IOException | GeneralSecurityException e) {
      // Registries with certificates of public CAs are reached without it.
      log.error("CA bundle {} not used: {}", file.get(), e.toString());
      return List.of();
    }
  }

  private static Optional<Path> file(Map<String, String> environment) {
    String named = environment.getOrDefault("SSL_CERT_FILE", "");
    if (!named.isEmpty()) {
      return Optional.of(Path.of(named));
    }
    return BUNDLES.stream().map(Path::of).filter(Files::isReadable).findFirst();
  }

  private static X509TrustManager manager(@Nullable KeyStore certificates)
      throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(certificates);
    for (TrustManager manager : factory.getTrustManagers()) {
      if (manager instanceof X509TrustManager x509) {
        return x509;
      }
    }
    throw new GeneralSecurityException("no X.509 trust manager");
  }
}
