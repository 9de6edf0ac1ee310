package onefold.store.gate;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import onefold.store.ChunkStore;
import org.junit.jupiter.api.Test;

/**
 * Below the store's face every wait, every clock and every chance comes through {@code
 * onefold.store.scheduler}, every file through {@code onefold.store.device}.
 */
final class SeamRulesTest {
  /** What neither waits nor starts anything, in {@code java.util.concurrent} itself. */
  private static final Set<String> HARMLESS =
      Set.of(
          "CompletionStage",
          "CompletionException",
          "ConcurrentHashMap",
          "ConcurrentMap",
          "ConcurrentNavigableMap",
          "ConcurrentSkipListMap",
          "ConcurrentSkipListSet",
          "TimeUnit");

  private static final Map<String, Set<String>> CLOCKS_AND_CHANCE =
      Map.of(
          "java.lang.System", Set.of("nanoTime", "currentTimeMillis"),
          "java.lang.Math", Set.of("random"),
          "java.lang.Object", Set.of("wait", "notify", "notifyAll"),
          "java.time.Instant", Set.of("now"),
          "java.time.LocalDateTime", Set.of("now"),
          "java.time.LocalDate", Set.of("now"),
          "java.time.ZonedDateTime", Set.of("now"),
          "java.time.InstantSource", Set.of("system"),
          "java.util.UUID", Set.of("randomUUID"),
          "java.util.Collection", Set.of("parallelStream"));

  static final ArchRule NO_WAITING_OUTSIDE_THE_SCHEDULER =
      noClasses()
          .that()
          .resideInAPackage("onefold.store..")
          .and()
          .resideOutsideOfPackages("onefold.store.scheduler", "onefold.store.device")
          .should()
          .dependOnClassesThat(describe("wait or start threads", SeamRulesTest::waits));

  static final ArchRule NO_CLOCK_OR_CHANCE_OUTSIDE_THE_SCHEDULER =
      noClasses()
          .that()
          .resideInAPackage("onefold.store..")
          .and()
          .resideOutsideOfPackage("onefold.store.scheduler")
          .should()
          .accessTargetWhere(readsClockOrChance());

  static final ArchRule NO_FILES_OUTSIDE_THE_DEVICE =
      noClasses()
          .that()
          .resideInAPackage("onefold.store..")
          .and()
          .resideOutsideOfPackage("onefold.store.device")
          .should()
          .dependOnClassesThat(describe("open files", SeamRulesTest::opensFiles));

  private static boolean waits(JavaClass target) {
    String packageName = target.getPackageName();
    String name = target.getName();
    int nested = name.indexOf('$');
    String outermost = nested < 0 ? name : name.substring(0, nested);
    return packageName.equals("java.util.concurrent.locks")
        || (packageName.equals("java.util.concurrent")
            && !HARMLESS.contains(outermost.substring(packageName.length() + 1)))
        || outermost.equals("java.lang.Thread")
        || outermost.equals("java.util.Timer");
  }

  private static boolean opensFiles(JavaClass target) {
    return Set.of(
            "java.nio.channels.FileChannel",
            "java.nio.channels.AsynchronousFileChannel",
            "java.nio.file.Files",
            "java.nio.file.FileSystems",
            "java.io.File",
            "java.io.RandomAccessFile",
            "java.io.FileInputStream",
            "java.io.FileOutputStream",
            "java.io.FileReader",
            "java.io.FileWriter")
        .contains(target.getName());
  }

  private static DescribedPredicate<JavaAccess<?>> readsClockOrChance() {
    return describe(
        "a clock, randomness without a seed, or a monitor's wait", SeamRulesTest::isClockOrChance);
  }

  private static boolean isClockOrChance(JavaAccess<?> access) {
    AccessTarget target = access.getTarget();
    String owner = target.getOwner().getName();
    boolean unseeded =
        target.getName().equals("<init>")
            && (owner.equals("java.security.SecureRandom")
                || (Set.of("java.util.Random", "java.util.SplittableRandom").contains(owner)
                    && target instanceof AccessTarget.ConstructorCallTarget constructor
                    && constructor.getRawParameterTypes().isEmpty()));
    return unseeded
        || CLOCKS_AND_CHANCE.getOrDefault(owner, Set.of()).contains(target.getName())
        || target.getName().equals("parallelStream")
        || (owner.startsWith("java.util.stream.") && target.getName().equals("parallel"));
  }

  private static final List<ArchRule> RULES =
      List.of(
          NO_WAITING_OUTSIDE_THE_SCHEDULER,
          NO_CLOCK_OR_CHANCE_OUTSIDE_THE_SCHEDULER,
          NO_FILES_OUTSIDE_THE_DEVICE);

  private static final JavaClasses STORE =
      imported(importer ->
          importer.importUrl(ChunkStore.class.getProtectionDomain().getCodeSource().getLocation()));

  /**
   * Imports classes without those of the JDK they use: names suffice, and reading them takes
   * seconds.
   */
  private static JavaClasses imported(Function<ClassFileImporter, JavaClasses> how) {
    return ArchConfiguration.withThreadLocalScope(configuration -> {
      configuration.setResolveMissingDependenciesFromClassPath(false);
      return how.apply(new ClassFileImporter());
    });
  }

  @Test
  void theStoreWaitsThroughTheSchedulerOnly() {
    NO_WAITING_OUTSIDE_THE_SCHEDULER.check(STORE);
  }

  @Test
  void theStoreTakesTimeAndChanceFromTheSchedulerOnly() {
    NO_CLOCK_OR_CHANCE_OUTSIDE_THE_SCHEDULER.check(STORE);
  }

  @Test
  void theStoreOpensFilesThroughTheDeviceOnly() {
    NO_FILES_OUTSIDE_THE_DEVICE.check(STORE);
  }

  @Test
  void theSeamsThemselvesAreWhatTheRulesForbid() {
    // Were the exceptions for the two packages not needed, the rules would not see what they are to
    // see.
    JavaClasses seams =
        imported(
            importer -> importer.importPackages("onefold.store.scheduler", "onefold.store.device"));
    for (DescribedPredicate<JavaClass> forbidden :
        List.of(
            describe("waits", SeamRulesTest::waits),
            describe("files", SeamRulesTest::opensFiles))) {
      assertTrue(
          noClasses().should().dependOnClassesThat(forbidden).evaluate(seams).hasViolation(),
          forbidden.getDescription());
    }
  }

  @Test
  void everyPlantedBreachIsCaught() {
    var breaches = new TreeSet<String>();
    for (Class<?> breach : PlantedBreaches.class.getDeclaredClasses()) {
      if (!breach.getSimpleName().startsWith("HasSynchronized")) { // those are NoMonitorsTest's
        breaches.add(breach.getSimpleName());
      }
    }
    JavaClasses classes =
        imported(importer -> importer.importClasses(PlantedBreaches.class.getDeclaredClasses()));
    var caught = new TreeSet<String>();
    for (ArchRule rule : RULES) {
      for (String detail : rule.evaluate(classes).getFailureReport().getDetails()) {
        breaches.stream()
            .filter(name -> detail.matches("(?s).*\\$" + name + "\\b.*"))
            .forEach(caught::add);
      }
    }
    assertEquals(breaches, caught);
    assertTrue(caught.size() >= 19, caught::toString);
  }
}
