package sluice.registry;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** What a registry, or its token server, is told about who asks. Text forms hide the secret. */
sealed interface Credential {

  /** A user and a password, or a token in a password's place. */
  record Password(String user, String password) implements Credential {
    @Override
    public String toString() {
      return "password of " + user;
    }
  }

  /** A refresh token that the token server exchanges (Docker's {@code identitytoken}). */
  record IdentityToken(String token) implements Credential {
    @Override
    public String toString() {
      return "identity token";
    }
  }

  /** A bearer token for the registry itself (Docker's {@code registrytoken}). */
  record RegistryToken(String token) implements Credential {
    @Override
    public String toString() {
      return "registry token";
    }
  }

  /** The header of RFC 7617. */
  static String basic(Password password) {
    byte[] pair = (password.user() + ':' + password.password()).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(pair);
  }
}
