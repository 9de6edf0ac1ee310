package onefold.appliance.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import onefold.appliance.FrontEnd;
import onefold.appliance.context.Context;
import onefold.appliance.context.Contexts;
import onefold.appliance.json.Json;
import onefold.appliance.json.JsonException;
import onefold.appliance.json.JsonObject;
import onefold.appliance.judge.ItemProof;
import onefold.appliance.judge.JudgeVerifier;
import onefold.appliance.judge.JudgeWriter;
import onefold.appliance.judge.StateJudge;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Doors for independent judges. */
@Command(
    name = "judge",
    description = {
      "Doors for independent judges: test the promises on your own machine.",
      "Lines are printed as things happen; docs/testing.md says what they mean."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold judge write --front-end catalyst --client 0 --round 0 --count 10"
    })
final class JudgeVerb extends Group {
  JudgeVerb(Environment environment) {
    super(
        new Write(environment),
        new Check(environment),
        new States(environment),
        new Prove(environment));
  }

  /** The word for a judge that looks at both ends of a mapping; it speaks Catalyst with each. */
  private static final String REPLICATION = "replication";

  private static FrontEnd frontEnd(String label) throws Failure {
    if (label.equals(REPLICATION)) {
      return FrontEnd.CATALYST;
    }
    for (FrontEnd door : List.of(FrontEnd.CATALYST, FrontEnd.NFS)) {
      if (door.label().equals(label)) {
        return door;
      }
    }
    throw Failure.misused(
        "no judge speaks '" + label + "'; there are catalyst, nfs and " + REPLICATION);
  }

  private abstract static class OfFrontEnd extends ApplianceVerb {
    @Option(
        names = "--front-end",
        paramLabel = "F",
        required = true,
        description = "catalyst, nfs or replication.")
    private String frontEnd = "";

    @Option(names = "--port", paramLabel = "P", description = "Port; the context's when not said.")
    private Optional<Integer> port = Optional.empty();

    OfFrontEnd(Environment environment) {
      super(environment);
    }

    FrontEnd door() throws Failure {
      return frontEnd(frontEnd);
    }

    boolean isReplication() {
      return frontEnd.equals(REPLICATION);
    }

    int portOf(Contexts.Found found) throws Failure {
      FrontEnd door = door();
      return port.orElseGet(() -> found.context().port(door.label(), door.defaultPort()));
    }
  }

  @Command(
      name = "write",
      description = {
        "Write, overwrite and delete items; TRY before, ACK after the durable reply.",
        "Ends when the connection breaks; nothing is tried twice.",
        "With replication: at the source, and ACK when it says that the target has it."
      },
      footer = {
        "",
        "Example:",
        "  ./onefold judge write --front-end catalyst --client 0 --round 0 --count 10"
      })
  private static final class Write extends OfFrontEnd {
    @Option(
        names = "--client",
        paramLabel = "C",
        required = true,
        description = "Number of this writer; part of its ids.")
    private String client = "";

    @Option(
        names = "--round",
        paramLabel = "R",
        required = true,
        description = "Number of this run; part of its ids.")
    private String round = "";

    @Option(names = "--count", paramLabel = "N", description = "Steps; without end when not said.")
    private long count = Long.MAX_VALUE;

    @Option(
        names = "--ctl",
        paramLabel = "FILE",
        description = "Also write each line there, as 'mark LINE'.")
    private Optional<Path> control = Optional.empty();

    @Option(
        names = "--mapping",
        paramLabel = "NAME",
        description = "With replication: the mapping; the only one of the store when not said.")
    private Optional<String> mapping = Optional.empty();

    Write(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      Contexts.Found found = context();
      var writer =
          new JudgeWriter(found.context(), portOf(found), client, round, terminal().out(), control);
      if (isReplication()) {
        try (var source = ReplicationSource.open(found, mapping)) {
          writer.runReplicated(count, source);
        }
      } else if (door() == FrontEnd.NFS) {
        writer.runNfs(count);
      } else {
        writer.run(count);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "verify",
      description = {
        "Read items back: GOT id sha256, GOT id ABSENT or GOT id ERROR text.",
        "With replication: at the target."
      },
      footer = {"", "Example:", "  ./onefold judge verify --front-end catalyst ids.txt"})
  private static final class Check extends OfFrontEnd {
    @Parameters(paramLabel = "IDSFILE", description = "One id a line.")
    private Path ids = Path.of("");

    @Option(
        names = "--store",
        paramLabel = "STORE",
        defaultValue = JudgeWriter.STORE,
        description = "Where the items are; ${DEFAULT-VALUE} when not said.")
    private String store = "";

    @Option(
        names = "--source-context",
        paramLabel = "FILE",
        description =
            "With replication: first have this source say that everything has reached the"
                + " target, because what was interrupted is on its way.")
    private Optional<Path> source = Optional.empty();

    Check(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      List<String> wanted =
          Files.readAllLines(ids, StandardCharsets.UTF_8).stream()
              .filter(i -> !i.isBlank())
              .toList();
      if (source.isPresent()) {
        if (!isReplication()) {
          throw Failure.misused("--source-context goes with --front-end " + REPLICATION);
        }
        Path file = source.orElseThrow();
        try (var all =
            ReplicationSource.open(
                new Contexts.Found(Context.read(file), file), Optional.empty())) {
          all.awaitAllSoon();
        }
      }
      Contexts.Found found = context();
      var verifier = new JudgeVerifier(found.context(), portOf(found), store, terminal().out());
      if (door() == FrontEnd.NFS) {
        verifier.runNfs(wanted);
      } else {
        verifier.run(wanted);
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "list",
      description = {
        "Recover data directories as a start would and read back what their marks name.",
        "Each line of LISTFILE is 'DIR<TAB>MARKSFILE'; prints 'STATE DIR' and GOT lines."
      },
      footer = {"", "Example:", "  ./onefold judge list states.txt"})
  private static final class States extends Verb {
    @Option(
        names = "--front-end",
        paramLabel = "F",
        defaultValue = "catalyst",
        description =
            "Whose ids the marks name: catalyst (when not said), nfs, or replication, whose target"
                + " it is.")
    private String frontEnd = "";

    @Option(
        names = "--store",
        paramLabel = "STORE",
        defaultValue = JudgeWriter.STORE,
        description = "Where the items are; ${DEFAULT-VALUE} when not said.")
    private String store = "";

    @Parameters(paramLabel = "LISTFILE", description = "The states.")
    private Path list = Path.of("");

    States(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      try (StateJudge judge = new StateJudge(terminal().out(), frontEnd(frontEnd), store)) {
        for (String line : Files.readAllLines(list, StandardCharsets.UTF_8)) {
          int tab = line.indexOf('\t');
          if (tab > 0) {
            judge.judge(Path.of(line.substring(0, tab)), Path.of(line.substring(tab + 1)));
          }
        }
      }
      return Exit.DONE;
    }
  }

  @Command(
      name = "prove",
      description = {
        "Have an appliance sign what an item is and when all of it was last read back, and check"
            + " it.",
        "With a challenge it also shows the bytes at places that it could not foresee; their way"
            + " from the signed root is checked here.",
        "A proof kept by --out is checked again by --check, without the appliance."
      },
      footer = {
        "",
        "Example:",
        "  ./onefold judge prove default/monday --challenge 4711 --read-back --out monday.proof",
        "  ./onefold judge prove --check monday.proof"
      })
  private static final class Prove extends ApplianceVerb {
    @Parameters(paramLabel = "STORE/ITEM", arity = "0..1", description = "What to prove.")
    private Optional<String> what = Optional.empty();

    @Option(
        names = "--challenge",
        paramLabel = "SEED",
        description = "1 to 64 bytes of your own that choose the places.")
    private String challenge = "";

    @Option(
        names = "--read-back",
        description = "The appliance first reads every byte of the item back.")
    private boolean readBack;

    @Option(names = "--out", paramLabel = "FILE", description = "Keep the proof.")
    private Optional<Path> out = Optional.empty();

    @Option(names = "--check", paramLabel = "FILE", description = "Check a proof that was kept.")
    private Optional<Path> check = Optional.empty();

    @Option(
        names = "--key",
        paramLabel = "HEX",
        description = "The key that must have signed; any when not said.")
    private Optional<String> key = Optional.empty();

    Prove(Environment environment) {
      super(environment);
    }

    @Override
    public Integer call() throws IOException, Failure {
      if (what.isPresent() == check.isPresent()) {
        throw Failure.misused("name either STORE/ITEM or --check FILE");
      }
      ItemProof proof;
      if (check.isPresent()) {
        Path file = check.orElseThrow();
        proof = checked(parsed(file), file.toString());
      } else {
        ItemReference item = ItemReference.parse(what.orElseThrow(), environment().now());
        JsonObject answer = ask(item);
        proof = checked(answer, item.toString());
        if (!proof.item().equals(item.toString())) {
          throw Failure.failed("asked for " + item + ", the proof is about " + proof.item());
        }
        if (out.isPresent()) {
          Files.writeString(out.orElseThrow(), answer.write() + "\n");
        }
      }
      if (!challenge.isEmpty() && !proof.challenge().equals(challenge)) {
        throw Failure.failed("the proof answers the challenge '" + proof.challenge() + "'");
      }
      if (key.isPresent() && !key.orElseThrow().equalsIgnoreCase(proof.key())) {
        throw Failure.failed("signed with key " + proof.key() + ", not " + key.orElseThrow());
      }
      show(proof);
      return Exit.DONE;
    }

    private JsonObject ask(ItemReference item) throws IOException, Failure {
      JsonObject body = new JsonObject().put("readBack", readBack);
      if (!challenge.isEmpty()) {
        body.put("challenge", challenge);
      }
      try (RestClient rest = rest()) {
        return rest.request("POST", RestClient.itemPath(item, "proofs"), body);
      } catch (RestException e) {
        if (e.code().equals("CORRUPT_DATA")) {
          throw Failure.damaged(item, e);
        }
        throw e;
      }
    }

    private static JsonObject parsed(Path file) throws IOException, Failure {
      try {
        return Json.parseObject(Files.readString(file));
      } catch (JsonException | CharacterCodingException e) {
        throw Failure.failed(file + " is no proof: " + e.getMessage(), e);
      }
    }

    private static ItemProof checked(JsonObject proof, String name) throws Failure {
      try {
        return ItemProof.check(proof);
      } catch (ItemProof.RefusedProofException e) {
        throw Failure.failed("the proof of " + name + " is refused: " + e.getMessage(), e);
      }
    }

    private void show(ItemProof proof) {
      say("PROVED " + proof.item() + " version " + proof.itemId() + " root " + proof.root());
      say("  length      " + proof.lengthBytes() + " bytes, " + proof.chunkCount() + " chunks");
      say(
          "  read back   "
              + (proof.readBackMillis() == 0
                  ? "never; --read-back has it done"
                  : Times.show(proof.readBackMillis())));
      say(
          "  shown       "
              + (proof.challenge().isEmpty()
                  ? "nothing; --challenge SEED asks for bytes"
                  : proof.provenBytes() + " bytes for the challenge " + proof.challenge()));
      say("  signed      " + Times.show(proof.signedMillis()) + " with key " + proof.key());
      result(
          new JsonObject()
              .put("item", proof.item())
              .put("id", proof.itemId())
              .put("version", proof.version())
              .put("root", proof.root())
              .put("lengthBytes", proof.lengthBytes())
              .put("chunks", proof.chunkCount())
              .put("readBackAt", proof.readBackMillis())
              .put("signedAt", proof.signedMillis())
              .put("challenge", proof.challenge())
              .put("shownBytes", proof.provenBytes())
              .put("key", proof.key()));
    }
  }
}
