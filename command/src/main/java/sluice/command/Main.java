package sluice.command;

/** Where the {@code sluice} command begins. */
public final class Main {

  private Main() {}

  /** Runs the command and ends the process: 0 done, 1 failed, 2 wrong usage. */
  public static void main(String[] args) {
    System.exit(SluiceCommand.run(args));
  }
}
