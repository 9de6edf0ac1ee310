package onefold.store;

/**
 * What one part of the program takes of its memory.
 *
 * @param part its name, as it is shown
 * @param bytes taken now
 * @param boundBytes what it may take; 0 if it takes what the data needs
 */
public record MemoryUse(String part, long bytes, long boundBytes) {}
