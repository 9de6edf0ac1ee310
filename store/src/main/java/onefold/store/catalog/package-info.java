/**
 * What has a name, and each name's root: domains, stores, items, unfinished uploads, small records.
 *
 * <p>A {@link onefold.store.catalog.Catalog} is a deterministic state machine: {@link
 * onefold.store.catalog.CatalogCommand}s go in, in the order of the journal, and applying one uses
 * no clock, randomness or files. Changes lie in memory in immutable ordered maps and are folded, in
 * batches, into ordered copy-on-write trees of pages: for each store one of its items, one of their
 * look-ups by age, size and tag, and one of the deleted items that can be brought back; for each
 * share one of its entries and one of their long values; one of everything else; and above them one
 * small tree of roots. A snapshot or a copy of a store or share has trees with the same roots; a
 * copy's own changes write other pages. Pages are node chunks of a domain of their own, the one
 * whose id is zero, found by fingerprint through {@link onefold.store.catalog.NodeStore}, and
 * loaded when they are needed. Formats: {@code docs/formats/catalog-page.md}, {@code
 * docs/formats/catalog-command.md}.
 *
 * <p>May import {@code onefold.store} and {@code onefold.chunker}. Starts no thread, takes no lock
 * and never waits.
 *
 * <p>Promises: equal commands in equal order give equal answers and equal root pages; a command id
 * that is remembered gives its first answer; what cannot be read is never answered as absent;
 * memory is bounded by the cache of pages, {@code Catalog.MAX_UNFOLDED_BYTES} and the remembered
 * commands, whatever the number of items.
 *
 * <table>
 *   <caption>What makes it safe when this starts while that runs</caption>
 *   <tr><th>starts</th><th>while</th><th>safe because</th></tr>
 *   <tr><td>a look-up or a listing</td><td>a command is applied</td>
 *       <td>a view is immutable; the next one is published by one volatile write</td></tr>
 *   <tr><td>a look-up or a listing</td><td>a fold is written or finished</td>
 *       <td>pages never change; a view keeps the root and the layers it was made with</td></tr>
 *   <tr><td>a command</td><td>a fold is written</td>
 *       <td>the fold works on layers frozen when it began; the command goes into the layer above</td></tr>
 *   <tr><td>a copy of a store or share is staged</td><td>something of it lies above the pages</td>
 *       <td>not allowed: it would lack them; the engine folds first, and stages copies before all
 *       other commands of a group</td></tr>
 *   <tr><td>a command, a fold's beginning or its finish</td><td>another of these</td>
 *       <td>not allowed: the engine's commit task is the only applier</td></tr>
 *   <tr><td>a fold</td><td>another fold is written</td>
 *       <td>not allowed: the engine begins one when the last has ended or failed</td></tr>
 *   <tr><td>reading a page</td><td>another thread reads the same</td>
 *       <td>both read it; the cache's slots are atomic references and keep one</td></tr>
 *   <tr><td>a mark</td><td>commands and folds go on</td>
 *       <td>it walks one view; what is put in pages meanwhile is put through the have-answers of the domain</td></tr>
 * </table>
 */
@NullMarked
package onefold.store.catalog;

import org.jspecify.annotations.NullMarked;
