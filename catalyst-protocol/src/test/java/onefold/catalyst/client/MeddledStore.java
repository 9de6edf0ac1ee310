package onefold.catalyst.client;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import onefold.store.ChunkStore;
import onefold.store.IngestSession;
import onefold.store.ObjectWriter;
import org.jspecify.annotations.Nullable;

/** A store in front of which something happens once, just before a method is called. */
public final class MeddledStore {
  /** What happens. */
  public interface Meddling {
    void happen() throws Exception;
  }

  private final Map<String, Meddling> before = new ConcurrentHashMap<>();

  /** Does this before the next call of the method, of the store or of one of its sessions. */
  public void before(String method, Meddling meddling) {
    before.put(method, meddling);
  }

  public ChunkStore around(ChunkStore store) {
    return wrap(ChunkStore.class, store);
  }

  private <T> T wrap(Class<T> face, T inner) {
    InvocationHandler handler =
        (Object proxy, Method method, Object @Nullable [] arguments) -> {
          Meddling meddling = before.remove(method.getName());
          if (meddling != null) {
            meddling.happen();
          }
          Object result;
          try {
            result = method.invoke(inner, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
          }
          return switch (result) {
            case IngestSession session -> wrap(IngestSession.class, session);
            case ObjectWriter writer -> wrap(ObjectWriter.class, writer);
            case null, default -> result;
          };
        };
    return face.cast(Proxy.newProxyInstance(face.getClassLoader(), new Class<?>[] {face}, handler));
  }
}
