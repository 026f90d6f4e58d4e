package sluice.command;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.THROW_GENERIC_EXCEPTIONS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Holds what the compiler can't: the arrows between packages, and rules of style. It stands here
 * because only the command has every module on its class path.
 */
final class ArchitectureTest {

  /** Whose code is generated, so that no rule of style binds it. */
  private static final String GENERATED = "sluice.api..";

  private static final Set<String> GENERIC_EXCEPTIONS =
      Set.of("java.lang.Throwable", "java.lang.Exception", "java.lang.RuntimeException");

  /** Each package is a slice of its own, those below it not included. */
  private static final SliceAssignment ITS_PACKAGE =
      new SliceAssignment() {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
          return SliceIdentifier.of(type.getPackageName());
        }

        @Override
        public String getDescription() {
          return "packages";
        }
      };

  private static JavaClasses sluice = new ClassFileImporter().importClasses();

  private static final Module CORE = new Module(List.of("sluice.core.."), List.of());
  private static final Module EROFS = new Module(List.of("sluice.erofs.."), List.of(CORE));
  private static final Module REGISTRY_CLIENT =
      new Module(List.of("sluice.registry.."), List.of(CORE));
  private static final Module LAYER_FORMATS =
      new Module(List.of("sluice.formats.."), List.of(CORE, EROFS));
  private static final Module CHUNK_CACHE = new Module(List.of("sluice.cache.."), List.of(CORE));
  private static final Module FUSE_MOUNT =
      new Module(
          List.of("sluice.fuse..", "sluice.mount..", "sluice.linux.."), List.of(CORE, EROFS));
  private static final Module API = new Module(List.of(GENERATED), List.of());
  private static final Module SNAPSHOTTER =
      new Module(List.of("sluice.snapshotter.."), List.of(CORE, EROFS, API));
  private static final Module COMMAND =
      new Module(
          List.of("sluice.command.."),
          List.of(
              CORE,
              EROFS,
              REGISTRY_CLIENT,
              LAYER_FORMATS,
              CHUNK_CACHE,
              FUSE_MOUNT,
              API,
              SNAPSHOTTER));

  /** A module, by its packages, and what it may see besides itself and libraries. */
  record Module(List<String> packages, List<Module> visible) {
    String[] hidden() {
      return modules().stream()
          .filter(other -> !other.equals(this) && !visible.contains(other))
          .flatMap(other -> other.packages.stream())
          .toArray(String[]::new);
    }

    @Override
    public String toString() {
      return packages.toString();
    }
  }

  static List<Module> modules() {
    return List.of(
        CORE,
        EROFS,
        REGISTRY_CLIENT,
        LAYER_FORMATS,
        CHUNK_CACHE,
        FUSE_MOUNT,
        API,
        SNAPSHOTTER,
        COMMAND);
  }

  /** A library, by its packages, and the only packages of ours that may know it. */
  record Library(List<String> packages, List<String> users) {
    @Override
    public String toString() {
      return packages + " only in " + users;
    }
  }

  @BeforeAll
  static void importClasses() {
    sluice =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("/sluice/testing/"))
            .importPackages("sluice");
  }

  @ParameterizedTest
  @MethodSource("modules")
  void module_isThere(Module module) {
    assertThat(module.packages)
        .allSatisfy(packages ->
            assertThat(sluice.that(resideInAPackage(packages))).as(packages).isNotEmpty());
  }

  @Test
  void class_belongsToOneModule() {
    String[] all =
        modules().stream().flatMap(module -> module.packages.stream()).toArray(String[]::new);
    classes().should().resideInAnyPackage(all).check(sluice);
  }

  @ParameterizedTest
  @MethodSource("modules")
  void module_seesOnlyWhatItsArrowsReach(Module module) {
    if (module.equals(COMMAND)) {
      assertThat(module.hidden()).isEmpty();
      return;
    }
    noClasses()
        .that()
        .resideInAnyPackage(module.packages.toArray(String[]::new))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(module.hidden())
        .check(sluice);
  }

  /** Only whoever puts the parts together knows which formats there are. */
  @ParameterizedTest
  @ValueSource(strings = {"rafs", "estargz", "zstdchunked", "soci", "tar"})
  void format_isKnownToTheCommandAlone(String format) {
    String its = "sluice.formats." + format + "..";
    assertThat(sluice.that(resideInAPackage(its))).isNotEmpty();
    noClasses()
        .that()
        .resideOutsideOfPackages(its, "sluice.command..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(its)
        .check(sluice);
  }

  @Test
  void core_standsOnTheJdkAlone() {
    classes()
        .that()
        .resideInAPackage("sluice.core..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("sluice.core..", "java..", "org.jspecify.annotations..")
        .check(sluice);
  }

  @Test
  void testSupport_isForTestsAlone() {
    noClasses().should().dependOnClassesThat().resideInAPackage("sluice.testing..").check(sluice);
  }

  @Test
  void packagesAtTheTop_haveNoCycles() {
    slices().matching("sluice.(*)..").should().beFreeOfCycles().check(sluice);
  }

  @Test
  void packages_haveNoCycles() {
    slices().assignedFrom(ITS_PACKAGE).should().beFreeOfCycles().check(sluice);
  }

  @Test
  void standardStreams_areTheCommandsAlone() {
    noClasses()
        .that(not(resideInAnyPackage("sluice.command..", "sluice.benchmarks..")))
        .should(ACCESS_STANDARD_STREAMS)
        .check(sluice);
  }

  @Test
  void exceptions_areNeverGeneric() {
    noClasses()
        .that()
        .resideOutsideOfPackage(GENERATED)
        .should(THROW_GENERIC_EXCEPTIONS)
        .check(sluice);
    classes()
        .that()
        .resideOutsideOfPackage(GENERATED)
        .should(declareNoGenericThrows())
        .check(sluice);
  }

  @Test
  void packages_areNullMarked() {
    Set<String> unmarked = new TreeSet<>();
    for (JavaClass type : sluice.that(not(resideInAPackage(GENERATED)))) {
      JavaPackage its = type.getPackage();
      if (!its.isAnnotatedWith(NullMarked.class)) {
        unmarked.add(its.getName());
      }
    }
    assertThat(unmarked).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void library_staysInItsModule(Library library) {
    noClasses()
        .that()
        .resideOutsideOfPackages(library.users.toArray(String[]::new))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(library.packages.toArray(String[]::new))
        .check(sluice);
    assertThat(sluice.that(uses(library))).as("classes that use " + library.packages).isNotEmpty();
  }

  static List<Library> libraries() {
    List<String> speakGrpc =
        List.of(
            "sluice.api..",
            "sluice.snapshotter.service..",
            "sluice.snapshotter.containerd..",
            "sluice.command..");
    return List.of(
        new Library(List.of("okhttp3..", "okio.."), List.of("sluice.registry..")),
        new Library(List.of("io.grpc..", "io.netty.."), speakGrpc),
        new Library(List.of("com.google.protobuf.."), speakGrpc),
        new Library(
            List.of("com.github.luben.zstd..", "net.jpountz..", "org.apache.commons.."),
            List.of("sluice.formats..")),
        new Library(List.of("java.sql..", "org.sqlite.."), List.of("sluice.snapshotter.store..")),
        new Library(List.of("io.micrometer.."), List.of("sluice.snapshotter.metrics..")),
        new Library(List.of("jnr..", "ru.serce.jnrfuse.."), List.of("sluice.fuse.jnr..")),
        new Library(
            List.of("picocli..", "ch.qos.logback..", "com.fasterxml.jackson.dataformat.."),
            List.of("sluice.command..")));
  }

  private static DescribedPredicate<JavaClass> uses(Library library) {
    DescribedPredicate<JavaClass> inLibrary =
        resideInAnyPackage(library.packages.toArray(String[]::new));
    return describe(
        "use " + library.packages,
        type ->
            type.getDirectDependenciesFromSelf().stream()
                .anyMatch(dependency -> inLibrary.test(dependency.getTargetClass())));
  }

  /** Bridges and lambdas are the compiler's, which copies what the interface declares. */
  private static ArchCondition<JavaClass> declareNoGenericThrows() {
    return new ArchCondition<>("declare no generic exception") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        for (JavaCodeUnit unit : type.getCodeUnits()) {
          if (unit.getModifiers().contains(JavaModifier.SYNTHETIC)) {
            continue;
          }
          unit.getThrowsClause().getTypes().stream()
              .map(JavaClass::getName)
              .filter(GENERIC_EXCEPTIONS::contains)
              .map(thrown -> unit.getFullName() + " throws " + thrown)
              .forEach(message -> events.add(SimpleConditionEvent.violated(type, message)));
        }
      }
    };
  }
}
