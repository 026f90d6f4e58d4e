package sluice.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import sluice.api.control.BadChunk;
import sluice.api.control.CheckedDevice;

/** What came of a check of a cache, for people and for scripts. For one thread. */
final class CheckSummary {

  private final String where;
  private final List<BadChunk> bad = new ArrayList<>();
  private final List<CheckedDevice> problems = new ArrayList<>();
  private int devices;
  private long soundChunks;
  private long unverifiableChunks;

  /**
   * @param where whose cache it is
   */
  CheckSummary(String where) {
    this.where = where;
  }

  void add(BadChunk chunk) {
    bad.add(chunk);
  }

  void add(CheckedDevice device) {
    if (!device.getProblem().isEmpty()) {
      problems.add(device);
      return;
    }
    devices++;
    soundChunks += device.getSoundChunks();
    unverifiableChunks += device.getUnverifiableChunks();
  }

  /** Whether nothing was wrong. */
  boolean sound() {
    return bad.isEmpty() && problems.isEmpty();
  }

  /** The keys that scripts rely on. */
  Json json() {
    return new Json()
        .with("cache", where)
        .with("sound", sound())
        .with("devices", devices)
        .with("soundChunks", soundChunks)
        .with("unverifiableChunks", unverifiableChunks)
        .with("badChunks", bad.stream().map(CheckSummary::members).toList())
        .with("problems", problems.stream().map(CheckSummary::members).toList());
  }

  String text() {
    StringJoiner lines = new StringJoiner(System.lineSeparator());
    for (BadChunk chunk : bad) {
      lines.add(
          "bad: blob %s, chunk %d, bytes %d+%d: %s expected, %s found (device %s)"
              .formatted(
                  chunk.getBlob(),
                  chunk.getChunk(),
                  chunk.getBlobOffset(),
                  chunk.getBlobLength(),
                  chunk.getExpected(),
                  chunk.getFound(),
                  CacheView.shortened(chunk.getDevice())));
    }
    for (CheckedDevice device : problems) {
      lines.add(
          "device %s cannot be checked: %s"
              .formatted(CacheView.shortened(device.getDevice()), device.getProblem()));
    }
    lines.add(
        "%d devices: %d chunks are sound, %d bad (%s)"
            .formatted(devices, soundChunks, bad.size(), where));
    if (!bad.isEmpty()) {
      lines.add("what is bad was dropped; the next read fetches it again");
    }
    if (unverifiableChunks > 0) {
      lines.add(
          "%d chunks cannot be checked here: their digest is of the compressed layer"
              .formatted(unverifiableChunks));
    }
    return lines.toString();
  }

  private static Map<String, Object> members(BadChunk chunk) {
    return new Json()
        .with("device", chunk.getDevice())
        .with("blob", chunk.getBlob())
        .with("chunk", chunk.getChunk())
        .with("blobOffset", chunk.getBlobOffset())
        .with("blobLength", chunk.getBlobLength())
        .with("expected", chunk.getExpected())
        .with("found", chunk.getFound())
        .members();
  }

  private static Map<String, Object> members(CheckedDevice device) {
    return new Json()
        .with("device", device.getDevice())
        .with("problem", device.getProblem())
        .members();
  }
}
