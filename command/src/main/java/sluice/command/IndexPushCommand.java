package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import sluice.command.index.IndexCreation;
import sluice.command.index.IndexLayout;
import sluice.command.index.MadeIndex;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.Repository;
import sluice.formats.soci.ZtocRecorder;
import sluice.snapshotter.signature.SignaturePush;
import sluice.snapshotter.signature.SigningKey;

/** {@code sluice index push}. */
@Command(
    name = "push",
    mixinStandardHelpOptions = true,
    description = {
      "Pushes the index that was made of an image.",
      "",
      "The latest one goes into the image's repository, as a referrer of the image. If none was made"
          + " yet, it is made first."
    },
    exitCodeListHeading = "%nIt ends with:%n",
    exitCodeList = {
      "0:The index was pushed, and has all layers.",
      "1:No index was pushed.",
      "2:The command line is wrong.",
      "3:The index was pushed, but layers are not in it; the output says which."
    })
final class IndexPushCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private IndexOptions options = new IndexOptions();

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description = {
        "Sign the index with this private key (PEM, PKCS #8, not encrypted), as cosign does.",
        "Nodes trust it by trust.referrers = [\"key:/path/to/public.pem\"]."
      })
  private @Nullable Path keyFile;

  @Override
  public Integer call() throws IOException, InterruptedException {
    SigningKey key = keyFile == null ? null : SigningKey.read(keyFile);
    try (Progress progress = Progress.on("index");
        IndexedImage image = options.open(progress)) {
      MadeIndex index = made(image, progress);
      Repository repository = image.resolved().reference().repository();
      Digest digest = index.manifest().descriptor().digest();
      List<Digest> without = without(image, digest);
      progress.outOf(index.sizeBytes());
      index.put(repository, image.places(), blob -> progress.step(blob.sizeBytes()));
      ImageReference signature =
          key == null
              ? null
              : new SignaturePush(image.places(), image.places()).push(repository, digest, key);
      tell(image, index, signature, without);
      return without.isEmpty() ? CommandLine.ExitCode.OK : IndexCreateCommand.INCOMPLETE;
    }
  }

  /** The layers that are not in the index, each once. */
  private List<Digest> without(IndexedImage image, Digest index)
      throws IOException, InterruptedException {
    return options.layout().list(image.resolved()).stream()
        .filter(kept -> kept.manifest().equals(index))
        .findFirst()
        .map(image::without)
        .orElseThrow(this::removed);
  }

  private IOException removed() {
    return new IOException(
        "%s: somebody removed the index".formatted(options.layout().repository()));
  }

  private MadeIndex made(IndexedImage image, Progress progress)
      throws IOException, InterruptedException {
    IndexLayout layout = options.layout();
    Optional<MadeIndex> kept = layout.latest(image.resolved());
    if (kept.isEmpty()) {
      IndexCreation.Result made =
          IndexCreateCommand.create(
              image, options, ZtocRecorder.Settings.DEFAULT_SPAN_BYTES, progress);
      PrintWriter err = spec.commandLine().getErr();
      made.without().forEach((layer, reason) -> err.printf("%s  no zTOC: %s%n", layer, reason));
      err.flush();
      kept = layout.latest(image.resolved());
    }
    return kept.orElseThrow(this::removed);
  }

  private void tell(
      IndexedImage image, MadeIndex index, @Nullable ImageReference signature, List<Digest> without)
      throws IOException {
    Digest digest = index.manifest().descriptor().digest();
    Repository repository = image.resolved().reference().repository();
    PrintWriter out = spec.commandLine().getOut();
    if (options.json()) {
      out.println(
          new Json()
              .with("image", image.resolved().reference().toString())
              .with("manifest", image.manifest().digest().toString())
              .with("index", digest.toString())
              .with("ztocs", index.ztocs().size())
              .with("sizeBytes", index.sizeBytes())
              .with("signature", signature == null ? "" : signature.toString())
              .with("without", without.stream().map(Digest::toString).toList())
              .text());
    } else {
      out.printf(
          "pushed %s@%s: %d zTOCs, %s; it refers to %s%n",
          repository,
          digest,
          index.ztocs().size(),
          Sizes.text(index.sizeBytes()),
          image.manifest().digest());
      without.forEach(layer -> out.printf("%s  no zTOC%n", layer));
      out.println(
          signature == null
              ? "not signed: nodes use it where trust.referrers names the registry"
              : "signed: " + signature);
    }
    out.flush();
  }
}
