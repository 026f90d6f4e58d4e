package sluice.formats.inflate;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** A shared library of this host, loaded for as long as the process lives. */
@SuppressWarnings("restricted") // Loading and binding is what this class is for.
final class NativeLibrary {

  private final String name;
  private final SymbolLookup symbols;

  private NativeLibrary(String name, SymbolLookup symbols) {
    this.name = name;
    this.symbols = symbols;
  }

  /**
   * Loads a library.
   *
   * @param name as the linker knows it: {@code libz.so.1}
   * @throws UnsatisfiedLinkError if it is not there, or native access is not allowed
   */
  static NativeLibrary load(String name) {
    try {
      return new NativeLibrary(name, SymbolLookup.libraryLookup(name, Arena.global()));
    } catch (IllegalArgumentException | IllegalCallerException e) {
      UnsatisfiedLinkError missing = new UnsatisfiedLinkError(name + " can't be loaded");
      missing.initCause(e);
      throw missing;
    }
  }

  /** Binds a function that returns something. */
  MethodHandle function(String function, MemoryLayout result, MemoryLayout... arguments) {
    return bind(function, FunctionDescriptor.of(result, arguments));
  }

  /** Binds a function that returns nothing. */
  MethodHandle procedure(String function, MemoryLayout... arguments) {
    return bind(function, FunctionDescriptor.ofVoid(arguments));
  }

  private MethodHandle bind(String function, FunctionDescriptor descriptor) {
    return Linker.nativeLinker()
        .downcallHandle(
            symbols
                .find(function)
                .orElseThrow(() -> new UnsatisfiedLinkError(name + " has no function " + function)),
            descriptor);
  }
}
