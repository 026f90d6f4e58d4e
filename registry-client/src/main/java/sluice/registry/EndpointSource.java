package sluice.registry;

import java.util.List;
import sluice.core.FetchException;

/** Knows where the API of each registry is. Safe for use by many threads. */
interface EndpointSource {

  /**
   * The endpoints that serve {@code registry}, at least one, the preferred first.
   *
   * @param registry host of a reference, with its port if it has one
   * @throws FetchException if that is no host
   */
  List<Endpoint> endpoints(String registry) throws FetchException;
}
