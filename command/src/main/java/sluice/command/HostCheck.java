package sluice.command;

/**
 * One thing that {@code sluice doctor} looked at.
 *
 * @param found what is there
 * @param advice what to do about it; empty if there is nothing to do
 */
record HostCheck(String name, State state, String found, String advice) {

  /** What it means. */
  enum State {
    OK("ok"),
    /** Lazy mounting does not work without it. */
    MISSING("missing"),
    /** Something works less well, or is not set up yet. */
    NOTE("note");

    private final String label;

    State(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }

  static HostCheck ok(String name, String found) {
    return new HostCheck(name, State.OK, found, "");
  }

  static HostCheck missing(String name, String found, String advice) {
    return new HostCheck(name, State.MISSING, found, advice);
  }

  static HostCheck note(String name, String found, String advice) {
    return new HostCheck(name, State.NOTE, found, advice);
  }

  Json json() {
    return new Json()
        .with("name", name)
        .with("state", state.label())
        .with("found", found)
        .with("advice", advice);
  }

  @Override
  public String toString() {
    String line = "%-8s %-20s %s".formatted(state.label(), name, found);
    return advice.isEmpty() ? line : line + "; " + advice;
  }
}
