package sluice.snapshotter.state;

import static sluice.snapshotter.state.SnapshotException.Code.INVALID_ARGUMENT;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The rules for labels (containerd, pkg/labels and core/snapshots). */
final class Labels {

  /** Set by containerd's unpacker: the layer may be lazy, and this will be its chain ID. */
  static final String SNAPSHOT_REF = "containerd.io/snapshot.ref";

  /** Key and value together (containerd, pkg/labels, {@code Validate}). */
  private static final int MAX_BYTES = 4096;

  private static final String PATH = "labels";
  private static final String PATH_OF_ONE = "labels.";

  private Labels() {}

  static void check(Map<String, String> labels) throws SnapshotException {
    for (Map.Entry<String, String> label : labels.entrySet()) {
      int bytes = utf8Length(label.getKey()) + utf8Length(label.getValue());
      if (bytes > MAX_BYTES) {
        throw new SnapshotException(
            INVALID_ARGUMENT,
            "label %s: key and value have %d bytes, at most %d are allowed"
                .formatted(label.getKey(), bytes, MAX_BYTES));
      }
    }
  }

  private static int utf8Length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /**
   * The change that an update asks for.
   *
   * @param wanted the labels of the request; an empty value deletes the label
   * @param paths {@code labels}, or {@code labels.KEY}, where the key is all that follows and may
   *     hold dots and slashes; no path at all means {@code labels}
   */
  static SnapshotStore.LabelChange change(Map<String, String> wanted, List<String> paths)
      throws SnapshotException {
    check(wanted);
    for (String path : paths) {
      if (!path.equals(PATH) && !path.startsWith(PATH_OF_ONE)) {
        throw new SnapshotException(
            INVALID_ARGUMENT,
            "cannot update field \"%s\" of a snapshot, only \"labels\" and \"labels.KEY\""
                .formatted(path));
      }
    }
    List<String> effective = paths.isEmpty() ? List.of(PATH) : List.copyOf(paths);
    return old -> {
      Map<String, String> labels = new HashMap<>(old);
      for (String path : effective) {
        if (path.equals(PATH)) {
          labels.clear();
          labels.putAll(wanted);
        } else {
          String key = path.substring(PATH_OF_ONE.length());
          labels.put(key, wanted.getOrDefault(key, ""));
        }
      }
      labels.values().removeIf(String::isEmpty);
      return labels;
    };
  }
}
