package sluice.command;

import com.google.protobuf.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.ToLongFunction;
import sluice.api.control.CacheDevice;
import sluice.api.control.CacheUser;

/**
 * What is in a cache, for people and for scripts.
 *
 * @param where whose cache it is
 */
record CacheView(String where, List<CacheDevice> devices) {

  /** Enough to tell devices and layers of a node from each other. */
  private static final int SHORT = 12;

  private static final String ROW = "%-12s  %10s  %10s  %10s  %-20s  %s";

  CacheView {
    devices = List.copyOf(devices);
  }

  /** The keys that scripts rely on; sizes in bytes. */
  Json json() {
    return new Json()
        .with("cache", where)
        .with("devices", devices.stream().map(CacheView::device).toList())
        .with("dataBytes", total(CacheDevice::getDataBytes))
        .with("presentBytes", total(CacheDevice::getPresentBytes))
        .with("occupiedBytes", total(CacheDevice::getOccupiedBytes))
        .with("unneededDevices", unneeded().size())
        .with("unneededBytes", unneededBytes());
  }

  String text() {
    StringJoiner lines = new StringJoiner(System.lineSeparator());
    if (!devices.isEmpty()) {
      lines.add(ROW.formatted("DEVICE", "DATA", "PRESENT", "ON DISK", "USED", "LAYER OF IMAGE"));
    }
    for (CacheDevice device : devices) {
      addTo(lines, device);
    }
    lines.add(
        "%d devices: %s of data, %s present, %s on disk (%s)"
            .formatted(
                devices.size(),
                Sizes.text(total(CacheDevice::getDataBytes)),
                Sizes.text(total(CacheDevice::getPresentBytes)),
                Sizes.text(total(CacheDevice::getOccupiedBytes)),
                where));
    if (!unneeded().isEmpty()) {
      lines.add(
          "%d of them, %s, no snapshot needs: sluice cache prune"
              .formatted(unneeded().size(), Sizes.text(unneededBytes())));
    }
    return lines.toString();
  }

  private static void addTo(StringJoiner lines, CacheDevice device) {
    if (!device.getProblem().isEmpty()) {
      lines.add(
          "%-12s  cannot be opened: %s".formatted(shortened(device.getId()), device.getProblem()));
      return;
    }
    lines.add(
        ROW.formatted(
            shortened(device.getId()),
            Sizes.text(device.getDataBytes()),
            Sizes.text(device.getPresentBytes()),
            Sizes.text(device.getOccupiedBytes()),
            instant(device.getLastUsed()).truncatedTo(ChronoUnit.SECONDS),
            device.getUsersCount() == 0 ? "-" : text(device.getUsers(0))));
    for (CacheUser user : device.getUsersList().stream().skip(1).toList()) {
      lines.add(ROW.formatted("", "", "", "", "", text(user)));
    }
  }

  private static String text(CacheUser user) {
    String hex = user.getLayer().substring(user.getLayer().indexOf(':') + 1);
    return shortened(hex) + " " + user.getImage();
  }

  static String shortened(String hex) {
    return hex.substring(0, Math.min(SHORT, hex.length()));
  }

  private List<CacheDevice> unneeded() {
    return devices.stream()
        .filter(device -> device.getUsersCount() == 0 && device.getProblem().isEmpty())
        .toList();
  }

  private long unneededBytes() {
    return unneeded().stream().mapToLong(CacheDevice::getOccupiedBytes).sum();
  }

  private long total(ToLongFunction<CacheDevice> bytes) {
    return devices.stream().mapToLong(bytes).sum();
  }

  private static Map<String, Object> device(CacheDevice device) {
    if (!device.getProblem().isEmpty()) {
      return new Json().with("id", device.getId()).with("problem", device.getProblem()).members();
    }
    return new Json()
        .with("id", device.getId())
        .with("blob", device.getBlob())
        .with("dataBytes", device.getDataBytes())
        .with("presentBytes", device.getPresentBytes())
        .with("occupiedBytes", device.getOccupiedBytes())
        .with("chunks", device.getChunks())
        .with("presentChunks", device.getPresentChunks())
        .with("lastUsed", instant(device.getLastUsed()).toString())
        .with("repositories", List.copyOf(device.getRepositoriesList()))
        .with("users", device.getUsersList().stream().map(CacheView::user).toList())
        .members();
  }

  private static Map<String, Object> user(CacheUser user) {
    return new Json().with("image", user.getImage()).with("layer", user.getLayer()).members();
  }

  private static Instant instant(Timestamp at) {
    return Instant.ofEpochSecond(at.getSeconds(), at.getNanos());
  }
}
