package sluice.command;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParameterException;

/** Says in one line why a command failed. */
final class Failure {

  private Failure() {}

  static String sentence(Throwable failure) {
    return switch (failure) {
      case NoSuchFileException e ->
          e.getFile()
              + ": "
              + (e.getReason() == null ? "no such file or directory" : e.getReason());
      case AccessDeniedException e -> e.getFile() + ": permission denied; are you root?";
      case FileAlreadyExistsException e -> e.getFile() + ": is there already";
      case FileSystemException e -> oneLine(e.getMessage(), e);
      case InterruptedException e -> "interrupted";
      case IOException e -> oneLine(e.getMessage(), e);
      case IllegalArgumentException e -> oneLine(e.getMessage(), e);
      case ParameterException e -> oneLine(e.getMessage(), e);
      default ->
          oneLine(failure.toString(), failure)
              + " (this is a fault of Sluice; --debug shows where)";
    };
  }

  private static String oneLine(@Nullable String message, Throwable failure) {
    return message == null || message.isBlank()
        ? failure.getClass().getSimpleName()
        : message.strip().replaceAll("\\s*\\n\\s*", "; ");
  }
}
