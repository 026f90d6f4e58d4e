package sluice.registry;

import java.util.regex.Pattern;
import okhttp3.HttpUrl;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Repository.InRegistry;

/**
 * One repository at one endpoint of its registry.
 *
 * @param repository as references name it
 * @param endpoint one of those that serve its registry
 */
record Source(InRegistry repository, Endpoint endpoint) {

  /** Repository names of the distribution specification; more would change the path's meaning. */
  private static final Pattern NAME =
      Pattern.compile(
          "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*");

  /** Characters of a name, so that the pattern has little to backtrack over. */
  private static final int MAX_NAME_CHARS = 255;

  /**
   * The URL of {@code path} in the repository, for example {@code manifests/latest}.
   *
   * @throws FetchException if the repository's name is none
   */
  HttpUrl url(String path) throws FetchException {
    String name = repository.name();
    if (name.length() > MAX_NAME_CHARS || !NAME.matcher(name).matches()) {
      throw new FetchException(
          "repository \"" + name + "\" of " + repository.registry() + ": no repository name",
          FetchException.Reason.PROTOCOL,
          0,
          null);
    }
    return endpoint.base().newBuilder().addPathSegments(name + '/' + path).build();
  }

  /** The URL of a blob. */
  HttpUrl blob(Digest digest) throws FetchException {
    return url("blobs/" + digest);
  }

  @Override
  public String toString() {
    return repository + " at " + endpoint;
  }
}
