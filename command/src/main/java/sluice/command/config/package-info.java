/**
 * The configuration file: one TOML file in which every key is optional. {@link
 * sluice.command.config.Config} holds what it says, {@link sluice.command.config.ConfigFile} reads
 * it.
 */
@NullMarked
package sluice.command.config;

import org.jspecify.annotations.NullMarked;
