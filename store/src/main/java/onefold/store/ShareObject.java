package onefold.store;

import onefold.chunker.ObjectRoot;

/**
 * The content of a file as an entry of a {@link ShareTree} holds it: a recipe, and how many of the
 * object's changes are in it. Changes above that number lie in the write-back journal.
 *
 * @param id never reused; an entry whose object has another id holds other content
 * @param root of what is folded
 * @param folded number of the last change that {@code root} holds, 0 for none; changes of an object
 *     count from 1
 * @param note what {@link MutableObject#force} was given last before that change; at most {@link
 *     MutableObject#MAX_NOTE_BYTES}
 */
public record ShareObject(Id id, ObjectRoot root, long folded, byte[] note) {}
