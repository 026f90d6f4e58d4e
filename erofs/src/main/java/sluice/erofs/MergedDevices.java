package sluice.erofs;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sluice.core.CorruptException;

/** The devices of merged layers: one slot per tag, in the order in which the layers name them. */
final class MergedDevices {

  private final List<DeviceSlot> slots;
  private final int[][] slotOf;

  private MergedDevices(List<DeviceSlot> slots, int[][] slotOf) {
    this.slots = slots;
    this.slotOf = slotOf;
  }

  List<DeviceSlot> slots() {
    return slots;
  }

  /** The merged slot of a layer's device. */
  int slotOf(int layer, int device) {
    return slotOf[layer][device];
  }

  static MergedDevices of(LayerStack layers) throws CorruptException {
    List<DeviceSlot> slots = new ArrayList<>();
    Map<String, Integer> numbers = new HashMap<>();
    int[][] slotOf = new int[layers.size()][];
    for (int layer = 0; layer < layers.size(); layer++) {
      List<DeviceSlot> devices = layers.image(layer).devices();
      slotOf[layer] = new int[devices.size()];
      for (int i = 0; i < devices.size(); i++) {
        DeviceSlot device = devices.get(i);
        Integer known = numbers.putIfAbsent(device.tag(), slots.size());
        if (known == null) {
          slots.add(device);
        }
        slotOf[layer][i] = known == null ? slots.size() - 1 : known;
        check(layers.image(layer), i, slots.get(slotOf[layer][i]));
      }
    }
    if (slots.size() > DeviceSlot.MAX_DEVICES) {
      throw new CorruptException(
          "%d devices, one image holds %d".formatted(slots.size(), DeviceSlot.MAX_DEVICES),
          layers.image(layers.size() - 1).toString(),
          -1);
    }
    return new MergedDevices(slots, slotOf);
  }

  private static void check(MetadataImage image, int index, DeviceSlot merged)
      throws CorruptException {
    DeviceSlot device = image.devices().get(index);
    if (device.tag().isEmpty() || !device.equals(merged)) {
      throw new CorruptException(
          "device slot %d: %s, elsewhere %s".formatted(index, device, merged),
          image.toString(),
          -1);
    }
  }
}
