package sluice.snapshotter.state;

import static sluice.snapshotter.state.SnapshotException.Code.INVALID_ARGUMENT;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How user or group ids of a container map to those of the host (user_namespaces(7)), as containerd
 * writes it into a label: {@code CONTAINER:HOST:LENGTH}, several with commas between.
 */
record IdMapping(List<Range> ranges) {

  static final String UID_LABEL = "containerd.io/snapshot/uidmapping";
  static final String GID_LABEL = "containerd.io/snapshot/gidmapping";

  private static final Pattern RANGE = Pattern.compile("(\\d{1,10}):(\\d{1,10}):(\\d{1,10})");

  /** Ids from {@code container} on are those from {@code host} on. */
  record Range(long container, long host, long length) {}

  IdMapping {
    ranges = List.copyOf(ranges);
  }

  /**
   * The mapping in one of the labels.
   *
   * @throws SnapshotException if the label is not a mapping
   */
  static Optional<IdMapping> of(Map<String, String> labels, String label) throws SnapshotException {
    String text = labels.get(label);
    if (text == null) {
      return Optional.empty();
    }
    List<Range> ranges = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      Matcher range = RANGE.matcher(part);
      if (!range.matches()) {
        throw new SnapshotException(
            INVALID_ARGUMENT,
            "label %s: CONTAINER:HOST:LENGTH expected, found \"%s\"".formatted(label, text));
      }
      ranges.add(
          new Range(
              Long.parseLong(range.group(1)),
              Long.parseLong(range.group(2)),
              Long.parseLong(range.group(3))));
    }
    return Optional.of(new IdMapping(ranges));
  }

  /**
   * The host's id.
   *
   * @throws SnapshotException if the mapping leaves the id out
   */
  int toHost(int container) throws SnapshotException {
    long id = Integer.toUnsignedLong(container);
    for (Range range : ranges) {
      if (id >= range.container() && id - range.container() < range.length()) {
        return (int) (range.host() + id - range.container());
      }
    }
    throw new SnapshotException(
        INVALID_ARGUMENT, "id mapping %s does not map id %d".formatted(this, id));
  }

  /** As mount options have it. */
  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    for (Range range : ranges) {
      parts.add(range.container() + ":" + range.host() + ":" + range.length());
    }
    return String.join(",", parts);
  }
}
