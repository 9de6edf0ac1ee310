package onefold.appliance.judge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import onefold.appliance.FrontEnd;
import onefold.appliance.RunningAppliance;
import onefold.appliance.judge.NfsConnection.Arguments;
import onefold.appliance.judge.NfsConnection.Results;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of shares, and files that are kept, over the wire against the real store. */
class NfsRetentionTest {
  private static final int SETATTR = 2;
  private static final int LOOKUP = 3;
  private static final int READ = 6;
  private static final int WRITE = 7;
  private static final int CREATE = 8;
  private static final int REMOVE = 12;
  private static final int NOT_PERMITTED = 1;
  private static final int READ_ONLY = 30;
  private static final int STALE = 70;

  @TempDir Path folder;

  @Test
  void aSnapshotIsReadThroughNfsAlsoAfterARestartAndChangesNothingMore() throws IOException {
    byte[] root;
    byte[] kept = new byte[0];
    try (RunningAppliance onefold = RunningAppliance.start(folder);
        NfsConnection nfs = connect(onefold)) {
      root = nfs.mount("/backup");
      byte[] file = create(nfs, root, "a");
      byte[] empty = create(nfs, root, "empty");
      write(nfs, file, "first".repeat(20_000));
      onefold.ok("share", "snapshot", "backup@one");
      write(nfs, file, "other");
      write(nfs, empty, "no longer");
      byte[] snapshot = nfs.mount("/backup/.snapshots/one");
      byte[] handle = lookup(nfs, snapshot, "a");
      kept = handle;
      assertEquals("first".repeat(20_000), read(nfs, kept));
      assertEquals("", read(nfs, lookup(nfs, snapshot, "empty")));
      assertEquals("other" + "first".repeat(20_000).substring(5), read(nfs, file));
      assertEquals(READ_ONLY, refusal(() -> write(nfs, handle, "x")));
      assertEquals(READ_ONLY, refusal(() -> create(nfs, snapshot, "b")));
      assertEquals(
          READ_ONLY, refusal(() -> nfs.expect(REMOVE, new Arguments().run(snapshot).text("a"))));
      onefold.ok("share", "clone", "backup@one", "copy");
      byte[] copy = lookup(nfs, nfs.mount("/copy"), "a");
      write(nfs, copy, "third");
      assertEquals("third" + "first".repeat(20_000).substring(5), read(nfs, copy));
      assertEquals("first".repeat(20_000), read(nfs, kept));
    }
    try (RunningAppliance onefold = RunningAppliance.start(folder);
        NfsConnection nfs = connect(onefold)) {
      byte[] handle = kept;
      assertEquals("first".repeat(20_000), read(nfs, handle));
      assertArrayEquals(kept, lookup(nfs, nfs.mount("/backup/.snapshots/one"), "a"));
      onefold.ok("share", "rm", "backup@one", "--yes");
      assertEquals(STALE, refusal(() -> read(nfs, handle)));
      assertEquals(
          "third" + "first".repeat(20_000).substring(5),
          read(nfs, lookup(nfs, nfs.mount("/copy"), "a")));
    }
  }

  @Test
  void aFileThatIsMadeReadOnlyInAWormShareIsKept() throws IOException {
    try (RunningAppliance onefold = RunningAppliance.start(folder)) {
      onefold.ok("share", "create", "w", "--worm");
      byte[] root;
      try (NfsConnection nfs = connect(onefold)) {
        root = nfs.mount("/w");
        byte[] file = create(nfs, root, "a");
        write(nfs, file, "kept");
        // Mode 0444, nothing else, no guard.
        Arguments readOnly = new Arguments().run(file).u32(1).u32(0444);
        nfs.expect(SETATTR, readOnly.u32(0).u32(0).u32(0).u32(0).u32(0).u32(0));
        assertEquals(NOT_PERMITTED, refusal(() -> write(nfs, file, "x")));
        assertEquals(
            NOT_PERMITTED, refusal(() -> nfs.expect(REMOVE, new Arguments().run(root).text("a"))));
        assertEquals("kept", read(nfs, file));
      }
      RunningAppliance.Outcome outcome = onefold.run("share", "rm", "w", "--with-files", "--yes");
      assertEquals(1, outcome.exitCode());
      try (NfsConnection nfs = connect(onefold)) {
        assertEquals("kept", read(nfs, lookup(nfs, root, "a")));
      }
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static int refusal(Step step) {
    return assertThrows(JudgeException.class, step::run).code();
  }

  private static NfsConnection connect(RunningAppliance onefold) throws IOException {
    return new NfsConnection("127.0.0.1", onefold.appliance().port(FrontEnd.NFS).orElseThrow());
  }

  private static byte[] create(NfsConnection nfs, byte[] directory, String name)
      throws IOException {
    Arguments create = new Arguments().run(directory).text(name).u32(1);
    Results created =
        nfs.expect(CREATE, create.u32(1).u32(0600).u32(0).u32(0).u32(0).u32(0).u32(0));
    return created.u32() == 0 ? lookup(nfs, directory, name) : created.run();
  }

  private static byte[] lookup(NfsConnection nfs, byte[] directory, String name)
      throws IOException {
    return nfs.expect(LOOKUP, new Arguments().run(directory).text(name)).run();
  }

  private static void write(NfsConnection nfs, byte[] file, String content) throws IOException {
    byte[] bytes = content.getBytes(UTF_8);
    nfs.expect(WRITE, new Arguments().run(file).u64(0).u32(bytes.length).u32(2).run(bytes));
  }

  private static String read(NfsConnection nfs, byte[] file) throws IOException {
    Results read = nfs.expect(READ, new Arguments().run(file).u64(0).u32(256 << 10));
    read.skipAttributes();
    read.u32();
    read.u32();
    return new String(read.run(), UTF_8);
  }
}
