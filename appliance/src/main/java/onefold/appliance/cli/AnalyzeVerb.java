package onefold.appliance.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import onefold.appliance.Size;
import onefold.appliance.analyze.Analysis;
import onefold.appliance.analyze.SizeFigures;
import onefold.appliance.json.JsonArray;
import onefold.appliance.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Measures the ratio of one's own data. */
@Command(
    name = "analyze",
    description = {
      "Measure how far data deduplicate and compress, without storing anything and without a"
          + " server.",
      "Each path is a generation, in order: a directory or a file."
    },
    footer = {
      "",
      "Example:",
      "  ./onefold analyze /backup/monday /backup/tuesday /backup/wednesday"
    })
final class AnalyzeVerb extends Verb {
  @Parameters(arity = "1..*", paramLabel = "PATH", description = "Generations, in order.")
  private List<Path> paths = new ArrayList<>();

  AnalyzeVerb(Environment environment) {
    super(environment);
  }

  @Override
  public Integer call() throws IOException, Failure {
    for (Path path : paths) {
      if (!Files.exists(path)) {
        throw Failure.failed(path + " does not exist");
      }
    }
    JsonArray generations = new JsonArray();
    long gapCount = 0;
    try (Analysis analysis = new Analysis(Runtime.getRuntime().availableProcessors())) {
      say(
          String.format(
              Locale.ROOT,
              "%-32s %10s %10s %14s %14s",
              "generation",
              "logical",
              "new",
              "LZ4 ratio",
              "zstd ratio"));
      for (Path path : paths) {
        Analysis.Generation generation;
        try (Progress progress =
            new Progress(terminal(), !json(), path.toString(), -1, environment().nanoTime())) {
          generation = analysis.add(path, (files, bytes) -> progress.at(bytes));
        }
        BackupVerb.showGaps(terminal(), generation.tree());
        gapCount += generation.tree().gapCount();
        SizeFigures alone = ofTheStore(generation.alone());
        SizeFigures all = ofTheStore(generation.cumulative());
        say(
            String.format(
                Locale.ROOT,
                "%-32s %10s %10s %6s %7s %6s %7s",
                shortened(path.toString()),
                Size.format(alone.logicalBytes()),
                Size.format(alone.uniqueBytes()),
                ratio(alone.lz4Ratio()),
                ratio(all.lz4Ratio()),
                ratio(alone.zstdRatio()),
                ratio(all.zstdRatio())));
        generations.add(
            BackupVerb.withTree(new JsonObject().put("path", path.toString()), generation.tree())
                .put("alone", json(generation.alone()))
                .put("cumulative", json(generation.cumulative())));
      }
      say("");
      say(
          "Each ratio stands first for the generation alone, then for all so far; recipes,"
              + " directories and index are counted.");
      say("");
      say(
          String.format(
              Locale.ROOT,
              "%-12s %8s %10s %8s %8s %10s",
              "chunks",
              "dedup",
              "new",
              "LZ4",
              "zstd",
              "index"));
      for (SizeFigures size : analysis.figures()) {
        say(
            String.format(
                Locale.ROOT,
                "%-12s %8s %10s %8s %8s %10s%s",
                (size.fixed() ? "fixed " : "mean ") + kibibytes(size.meanBytes()),
                ratio(size.dedupRatio()),
                Size.format(size.uniqueBytes()),
                ratio(size.lz4Ratio()),
                ratio(size.zstdRatio()),
                Size.format(size.indexBytes() + size.recipeBytes()),
                isTheStores(size) ? "  what a store uses" : ""));
      }
    }
    result(new JsonObject().put("generations", generations));
    return gapCount == 0 ? Exit.DONE : Exit.GAPS;
  }

  private static boolean isTheStores(SizeFigures size) {
    return !size.fixed() && size.meanBytes() == 8 << 10;
  }

  private static SizeFigures ofTheStore(List<SizeFigures> sizes) {
    return sizes.stream().filter(AnalyzeVerb::isTheStores).findFirst().orElseThrow();
  }

  private static String kibibytes(int bytes) {
    return bytes >= 1 << 20 ? (bytes >> 20) + " MiB" : (bytes >> 10) + " KiB";
  }

  private static String shortened(String path) {
    return path.length() <= 32 ? path : "…" + path.substring(path.length() - 31);
  }

  private static String ratio(double value) {
    return value >= 1000 ? ">999" : String.format(Locale.ROOT, "%.2f", value);
  }

  private static JsonArray json(List<SizeFigures> sizes) {
    JsonArray array = new JsonArray();
    for (SizeFigures size : sizes) {
      array.add(
          new JsonObject()
              .put("meanBytes", size.meanBytes())
              .put("fixed", size.fixed())
              .put("logicalBytes", size.logicalBytes())
              .put("chunkCount", size.chunkCount())
              .put("uniqueBytes", size.uniqueBytes())
              .put("uniqueChunks", size.uniqueChunks())
              .put("lz4Bytes", size.lz4Bytes())
              .put("zstdBytes", size.zstdBytes())
              .put("recipeBytes", size.recipeBytes())
              .put("indexBytes", size.indexBytes()));
    }
    return array;
  }
}
