package sluice.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import sluice.command.convert.ConversionProgress;
import sluice.command.convert.ImageConversion;
import sluice.command.convert.TerminalProgress;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.formats.rafs.RafsConverter;
import sluice.registry.FetchListener;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;

/** {@code sluice convert}: makes RAFS v6 of an ordinary image. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    description = "Converts an image to RAFS v6, so that it can be mounted before it is there.",
    footer = {
      "",
      "Equal chunks of the image are stored once. The same source and options give",
      "the same digests."
    })
final class ConvertCommand implements Callable<Integer> {

  /** Files that are too large for /tmp, which may be memory (file-hierarchy(7)). */
  private static final String LARGE_TEMPORARY_FILES = "/var/tmp";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      index = "0",
      paramLabel = "SOURCE",
      converter = ReferenceConverter.class,
      description = "The image to convert: a registry reference, or oci:LAYOUT_DIR[:TAG].")
  private @Nullable ImageReference source;

  @Parameters(
      index = "1",
      paramLabel = "TARGET",
      converter = ReferenceConverter.class,
      description = "Where to push the result, of the same form.")
  private @Nullable ImageReference target;

  @Mixin private PlatformOption platform = new PlatformOption();

  @Option(
      names = "--digester",
      paramLabel = "D",
      description = "Digest of chunks: sha256 or blake3. Default: sha256.")
  private Digester digester = Digester.SHA256;

  @Option(
      names = "--chunk-size",
      paramLabel = "N",
      description =
          "Bytes of a chunk: a power of two from 4096 to 16777216. Default: ${DEFAULT-VALUE}.")
  private int chunkBytes = RafsConverter.Options.DEFAULT.chunkBytes();

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = {
        "Where temporary files go, as large as the unpacked image and the result together.",
        "Default: $TMPDIR, or " + LARGE_TEMPORARY_FILES + "."
      })
  private Path work =
      Path.of(
          Optional.ofNullable(System.getenv("TMPDIR"))
              .filter(text -> !text.isEmpty())
              .orElse(LARGE_TEMPORARY_FILES));

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  /** The digests that chunks of RAFS may have. */
  private enum Digester {
    SHA256(Digest.Algorithm.SHA256),
    BLAKE3(Digest.Algorithm.BLAKE3);

    private final Digest.Algorithm algorithm;

    Digester(Digest.Algorithm algorithm) {
      this.algorithm = algorithm;
    }
  }

  /** strerror(3) of ENOSPC, which is all that an exception of a channel tells. */
  private static final String NO_SPACE = "No space left on device";

  @Override
  public Integer call() throws IOException, InterruptedException {
    ImageConversion.Request request = request();
    ConversionProgress progress = json ? ConversionProgress.NONE : TerminalProgress.ifInteractive();
    ImageConversion.Result result;
    try (RegistryClient client =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      result = new ImageConversion(client, client, client, progress).convert(request);
    } catch (IOException e) {
      throw NO_SPACE.equals(e.getMessage()) ? full(e) : e;
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? asJson(result) : asLine(result));
    out.flush();
    return CommandLine.ExitCode.OK;
  }

  /** What fills a disk here are mostly the temporary files; Java does not say which file it was. */
  private IOException full(IOException cause) throws IOException {
    return new IOException(
        "%s: %s are free for temporary files in %s; make room there, or name another directory by"
                .formatted(NO_SPACE, Sizes.text(Files.getFileStore(work).getUsableSpace()), work)
            + " --work",
        cause);
  }

  private ImageConversion.Request request() {
    ImageReference from = source;
    ImageReference to = target;
    if (from == null || to == null) {
      throw new AssertionError("picocli requires both parameters");
    }
    if (to.digest() != null) {
      throw wrong("TARGET: a tag is expected, found a digest: " + to);
    }
    if (to.equals(from)) {
      throw wrong("TARGET is SOURCE, which would be lost: name another tag");
    }
    try {
      RafsConverter.Options options =
          new RafsConverter.Options(
              digester.algorithm, chunkBytes, RafsConverter.Options.DEFAULT.zstdLevel());
      return new ImageConversion.Request(from, to, platform.platform(), options, work);
    } catch (IllegalArgumentException e) {
      throw wrong(
          "--chunk-size: a power of two from 4096 to 16777216 is expected, found " + chunkBytes);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private static String asJson(ImageConversion.Result result) {
    return new JsonMapper()
        .createObjectNode()
        .put("target", result.target().toString())
        .put("digest", result.digest().toString())
        .put("sourceBytes", result.sourceBytes())
        .put("targetBytes", result.targetBytes())
        .put("chunks", result.chunks())
        .put("equalChunks", result.equalChunks())
        .toString();
  }

  private static String asLine(ImageConversion.Result result) {
    return "%s %s %s -> %s, %d chunks, %d of them equal to others"
        .formatted(
            result.target(),
            result.digest(),
            Sizes.text(result.sourceBytes()),
            Sizes.text(result.targetBytes()),
            result.chunks(),
            result.equalChunks());
  }
}
