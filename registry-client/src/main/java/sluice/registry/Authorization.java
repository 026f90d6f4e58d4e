package sluice.registry;

import java.time.Instant;

/**
 * What requests are authorized with. Its text form hides the secret.
 *
 * @param header the value of {@code Authorization}
 * @param anonymous whether no credentials were used to get it
 * @param expires when it is asked for anew
 */
record Authorization(String header, boolean anonymous, Instant expires) {
  @Override
  public String toString() {
    return (anonymous ? "anonymous authorization until " : "authorization until ") + expires;
  }
}
