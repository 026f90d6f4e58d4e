package sluice.core;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Set;

/** The devices of this node. Safe for use by many threads; its directory belongs to one process. */
public interface DeviceStore {

  /**
   * Adds the device that {@code index} describes, or only {@code holders} to it where it is known
   * already.
   *
   * @throws CorruptException if chunks overlap, are out of order, or lie outside the device
   */
  LazyDevice add(DeviceIndex index, Set<Repository> holders) throws IOException;

  /**
   * Opens a device that was added before, perhaps by an earlier process. The same object is
   * returned while the device is in the store.
   *
   * @throws java.nio.file.NoSuchFileException if there is no such device
   */
  LazyDevice open(DeviceId id) throws IOException;

  /** Lets {@code holders} serve the device too. */
  void addHolders(DeviceId id, Set<Repository> holders) throws IOException;

  /** Begins a device whose bytes are written before its chunks are known, as a layer streams. */
  Staged stage() throws IOException;

  /** What the device occupies on disk now, in bytes. */
  long occupiedBytes(DeviceId id) throws IOException;

  /**
   * Deletes every device that {@code live} does not hold and that was added before this call began.
   * A device that is being added or read at the same time stays.
   */
  void retain(Collection<DeviceId> live) throws IOException;

  /** A device that is being written. Closing it unfinished deletes it. For one thread. */
  interface Staged extends Closeable {

    /** Writes all of {@code data} at {@code deviceOffset}. */
    void write(ByteBuffer data, long deviceOffset) throws IOException;

    /**
     * Ends the device: its bytes are those that {@code index} describes, verified by the caller,
     * and all present. If the store has an equal device already, that one is filled and returned.
     */
    LazyDevice finish(DeviceIndex index, Set<Repository> holders) throws IOException;
  }
}
