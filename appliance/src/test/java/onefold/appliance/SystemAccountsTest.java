package onefold.appliance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import onefold.nas.nfs.Accounts.Account;
import org.junit.jupiter.api.Test;

class SystemAccountsTest {
  @Test
  void rootIsFoundAndWhoIsNotThereIsNot() {
    var accounts = new SystemAccounts(() -> 0);
    Account root = accounts.find("root").orElseThrow();
    assertEquals(0, root.uid());
    assertEquals(0, root.gid());
    assertTrue(root.groups().contains(0L));
    assertEquals(root, accounts.find("root").orElseThrow());
    assertTrue(accounts.find("nobody.of.this.name").isEmpty());
  }
}
