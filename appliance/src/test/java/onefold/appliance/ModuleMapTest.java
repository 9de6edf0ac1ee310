package onefold.appliance;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.LinkedHashMap;
import java.util.Map;
import onefold.appliance.breaches.PlantedBreaches;
import org.junit.jupiter.api.Test;

/**
 * Who may import whom. Rules that silently check nothing are a known trap, so each is also shown
 * classes that break it and must catch them.
 */
class ModuleMapTest {
  private static final String[] ENGINE = {
    "onefold.store.engine..",
    "onefold.store.container..",
    "onefold.store.index..",
    "onefold.store.recipe..",
    "onefold.store.catalog..",
    "onefold.store.journal..",
    "onefold.store.housekeeping..",
    "onefold.store.scrub..",
    "onefold.store.inspect.."
  };

  private static final JavaClasses PRODUCT =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("onefold");

  private static final JavaClasses BREACHES =
      new ClassFileImporter().importPackages("onefold.appliance.breaches");

  /** Every rule by the name of the planted class that breaks it. */
  private static Map<String, ArchRule> rules(String prefix) {
    Map<String, ArchRule> rules = new LinkedHashMap<>();
    rules.put(
        "ChunkerSeesStore",
        noClasses()
            .that()
            .resideInAnyPackage(prefix + "onefold.chunker..", prefix + "onefold.block..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(
                    "onefold.store..",
                    "onefold.catalyst..",
                    "onefold.nas..",
                    "onefold.appliance..")));
    rules.put(
        "StoreSeesCatalyst",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.store..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage("onefold.catalyst..", "onefold.nas..", "onefold.appliance..")));
    rules.put(
        "FaceSeesEngine",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.store")
            .should()
            .dependOnClassesThat(resideInAnyPackage(ENGINE)));
    rules.put(
        "ClientSeesStore",
        noClasses()
            .that()
            .resideInAnyPackage(
                prefix + "onefold.catalyst.client..", prefix + "onefold.catalyst.wire..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(
                    "onefold.store..", "onefold.catalyst.server..", "onefold.appliance..")));
    rules.put(
        "ServerSeesEngine",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.catalyst.server..")
            .should()
            .dependOnClassesThat(resideInAnyPackage(ENGINE)));
    rules.put(
        "ServerSeesAppliance",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.catalyst..")
            .should()
            .dependOnClassesThat(resideInAPackage("onefold.appliance..")));
    rules.put(
        "FilesSeeEngine",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.nas..")
            .should()
            .dependOnClassesThat(resideInAnyPackage(ENGINE)));
    rules.put(
        "FilesSeeDevice",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.nas..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(
                    "onefold.store.device..",
                    "onefold.store.scheduler..",
                    "onefold.catalyst..",
                    "onefold.appliance..")));
    rules.put(
        "FilesSeeFrontEnd",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.nas")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(prefix + "onefold.nas.nfs..", prefix + "onefold.nas.smb..")));
    rules.put(
        "NfsSeesSmb",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.nas.nfs..")
            .should()
            .dependOnClassesThat(resideInAPackage(prefix + "onefold.nas.smb..")));
    rules.put(
        "ReplicationSeesEngine",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.replication..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(ENGINE)
                    .or(
                        resideInAnyPackage(
                            "onefold.store.device..",
                            "onefold.store.scheduler..",
                            "onefold.catalyst.server..",
                            "onefold.appliance.."))));
    rules.put(
        "ClientSeesReplication",
        noClasses()
            .that()
            .resideInAnyPackage(
                prefix + "onefold.catalyst..",
                prefix + "onefold.store..",
                prefix + "onefold.chunker..")
            .should()
            .dependOnClassesThat(resideInAPackage("onefold.replication..")));
    rules.put(
        "SpringOutsideRest",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold..")
            .and()
            .resideOutsideOfPackage("onefold.appliance.rest..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage("org.springframework..", "org.apache.catalina..")));
    rules.put(
        "NettyOutsideFrontEnds",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold..")
            .and()
            .resideOutsideOfPackages("onefold.catalyst..", "onefold.nas.nfs..")
            .should()
            .dependOnClassesThat(resideInAPackage("io.netty..")));
    rules.put(
        "JudgeSeesServer",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.appliance.judge..")
            // The one that is no client: it recovers directories and looks at what is in them.
            .and()
            .doNotHaveSimpleName("StateJudge")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage(
                    "onefold.catalyst..",
                    "onefold.nas..",
                    "onefold.block..",
                    "onefold.appliance.rest..",
                    "onefold.appliance.identity..")));
    rules.put(
        "TreeSeesStore",
        noClasses()
            .that()
            .resideInAPackage(prefix + "onefold.appliance.tree..")
            .should()
            .dependOnClassesThat(
                resideInAnyPackage("onefold.store..", "onefold.catalyst..", "io.netty..")));
    return rules;
  }

  @Test
  void theModulesImportDownwardsOnly() {
    assertTrue(PRODUCT.contain("onefold.store.ChunkStore"), "the store is not on the class path");
    assertTrue(
        PRODUCT.contain("onefold.catalyst.client.CatalystClient"),
        "Catalyst is not on the class path");
    assertTrue(
        PRODUCT.contain("onefold.nas.FileSystem"), "the file layer is not on the class path");
    assertTrue(
        PRODUCT.contain("onefold.replication.Mappings"), "replication is not on the class path");
    assertTrue(
        PRODUCT.contain("onefold.chunker.Fingerprint"), "the chunker is not on the class path");
    rules("").values().forEach(rule -> rule.check(PRODUCT));
  }

  @Test
  void everyRuleCatchesThePlantedBreach() {
    Map<String, ArchRule> rules = rules(PlantedBreaches.PREFIX);
    for (var rule : rules.entrySet()) {
      var result = rule.getValue().allowEmptyShould(true).evaluate(BREACHES);
      assertTrue(result.hasViolation(), rule.getKey() + " was not caught");
      assertTrue(
          result.getFailureReport().toString().contains(rule.getKey()),
          rule.getKey() + " is not what was caught: " + result.getFailureReport());
    }
    long planted = BREACHES.stream().filter(c -> rules.containsKey(c.getSimpleName())).count();
    assertEquals(rules.size(), planted);
    assertFalse(rules.isEmpty());
  }
}
