/**
 * What an index of a tar stream <em>states</em> of the headers that lie between the data of files:
 * no device holds them, but a chunk that is decoded does. {@link
 * sluice.formats.statement.StatementWriter} writes the statement of a chunk from {@link
 * sluice.formats.statement.EntryStatement entries}, {@link
 * sluice.formats.statement.StatementReader} reads it again for whoever has the decoded bytes.
 */
@NullMarked
package sluice.formats.statement;

import org.jspecify.annotations.NullMarked;
