/**
 * The {@code sluice} command and the daemon's wiring: the composition root, the only package that
 * sees all modules. {@link sluice.command.Main} is where everything begins; {@link
 * sluice.command.Engine} binds the parts.
 */
@NullMarked
package sluice.command;

import org.jspecify.annotations.NullMarked;
