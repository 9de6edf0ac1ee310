package onefold.appliance.cli;

/** The program. */
public final class Onefold {
  private Onefold() {}

  public static void main(String[] arguments) {
    System.out.println("onefold " + arguments.length);
  }
}
