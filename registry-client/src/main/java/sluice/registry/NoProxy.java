package sluice.registry;

import java.math.BigInteger;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The list of {@code NO_PROXY}: {@code *}, addresses, CIDR blocks, {@code example.com} (also its
 * subdomains), {@code .example.com} and {@code *.example.com} (only its subdomains), each but CIDR
 * with a port if it means that port alone.
 */
final class NoProxy {

  private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

  /** One entry of the list. */
  private sealed interface Rule {
    record All() implements Rule {}

    record Block(BigInteger prefix, int addressBits, int prefixBits) implements Rule {}

    record Address(InetAddress address, int port) implements Rule {}

    record Domain(String suffix, boolean itself, int port) implements Rule {}
  }

  private static final int ANY_PORT = -1;

  private final List<Rule> rules;

  private NoProxy(List<Rule> rules) {
    this.rules = rules;
  }

  static NoProxy parse(String list) {
    List<Rule> rules = new ArrayList<>();
    for (String entry : list.toLowerCase(Locale.ROOT).split(",", -1)) {
      String rule = entry.strip();
      if (!rule.isEmpty()) {
        rules.add(rule(rule));
      }
    }
    return new NoProxy(List.copyOf(rules));
  }

  /**
   * @param host in lower case; an IPv6 address without brackets
   */
  boolean matches(String host, int port) {
    Optional<InetAddress> address = address(host);
    for (Rule rule : rules) {
      boolean matched =
          switch (rule) {
            case Rule.All() -> true;
            case Rule.Block block -> address.filter(a -> contains(block, a)).isPresent();
            case Rule.Address(InetAddress one, int only) ->
                address.isPresent() && one.equals(address.get()) && isPort(only, port);
            case Rule.Domain(String suffix, boolean itself, int only) ->
                isPort(only, port)
                    && (host.endsWith(suffix) || (itself && host.equals(suffix.substring(1))));
          };
      if (matched) {
        return true;
      }
    }
    return false;
  }

  private static Rule rule(String text) {
    if (text.equals("*")) {
      return new Rule.All();
    }
    Optional<Rule> block = block(text);
    if (block.isPresent()) {
      return block.get();
    }
    String host = text;
    int port = ANY_PORT;
    int colon = text.lastIndexOf(':');
    boolean bracketed = text.startsWith("[");
    if (address(text).isEmpty() && colon > 0 && text.substring(colon + 1).matches("\\d{1,5}")) {
      port = Integer.parseInt(text.substring(colon + 1));
      host = text.substring(0, colon);
    }
    if (bracketed) {
      host = host.replaceAll("[\\[\\]]", "");
    }
    Optional<InetAddress> address = address(host);
    if (address.isPresent()) {
      return new Rule.Address(address.get(), port);
    }
    String domain = host.startsWith("*.") ? host.substring(1) : host;
    return domain.startsWith(".")
        ? new Rule.Domain(domain, false, port)
        : new Rule.Domain('.' + domain, true, port);
  }

  private static Optional<Rule> block(String text) {
    int slash = text.indexOf('/');
    if (slash < 0 || !text.substring(slash + 1).matches("\\d{1,3}")) {
      return Optional.empty();
    }
    Optional<InetAddress> address = address(text.substring(0, slash));
    int prefixBits = Integer.parseInt(text.substring(slash + 1));
    if (address.isEmpty() || prefixBits > address.get().getAddress().length * 8) {
      return Optional.empty();
    }
    int addressBits = address.get().getAddress().length * 8;
    return Optional.of(new Rule.Block(prefix(address.get(), prefixBits), addressBits, prefixBits));
  }

  private static boolean contains(Rule.Block block, InetAddress address) {
    return address.getAddress().length * 8 == block.addressBits
        && prefix(address, block.prefixBits).equals(block.prefix);
  }

  private static BigInteger prefix(InetAddress address, int prefixBits) {
    byte[] bytes = address.getAddress();
    return new BigInteger(1, bytes).shiftRight(bytes.length * 8 - prefixBits);
  }

  private static boolean isPort(int only, int port) {
    return only == ANY_PORT || only == port;
  }

  /** Reads an address, and never asks a name server. */
  private static Optional<InetAddress> address(String text) {
    if (!ADDRESS.matcher(text).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
