package onefold.store.catalog;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * An ordered map that never changes: {@link #put} answers a new map that shares all but O(log n)
 * nodes with the old one. So a reader that holds one has a consistent snapshot without any lock. A
 * height-balanced binary tree.
 */
public final class PersistentMap<K, V> {
  private record Node<K, V>(
      @Nullable Node<K, V> left,
      @Nullable Node<K, V> right,
      K key,
      V value,
      int height,
      int size) {}

  private final Comparator<? super K> order;
  private final @Nullable Node<K, V> root;

  private PersistentMap(Comparator<? super K> order, @Nullable Node<K, V> root) {
    this.order = order;
    this.root = root;
  }

  public static <K, V> PersistentMap<K, V> empty(Comparator<? super K> order) {
    return new PersistentMap<>(order, null);
  }

  public int size() {
    return size(root);
  }

  public @Nullable V get(K key) {
    Node<K, V> node = root;
    while (node != null) {
      int side = order.compare(key, node.key);
      if (side == 0) {
        return node.value;
      }
      node = side < 0 ? node.left : node.right;
    }
    return null;
  }

  public PersistentMap<K, V> put(K key, V value) {
    return new PersistentMap<>(order, put(root, key, value));
  }

  public PersistentMap<K, V> remove(K key) {
    return new PersistentMap<>(order, remove(root, key));
  }

  /** Walks the entries from the first key that is not below {@code from}, upwards. */
  public Walk<K, V> from(K from) {
    Walk<K, V> walk = new Walk<>();
    Node<K, V> node = root;
    while (node != null) {
      if (order.compare(node.key, from) >= 0) {
        walk.pending.push(node);
        node = node.left;
      } else {
        node = node.right;
      }
    }
    return walk;
  }

  /** A walk in ascending order. Not thread-safe; the map beneath cannot change. */
  public static final class Walk<K, V> {
    private final ArrayDeque<Node<K, V>> pending = new ArrayDeque<>();
    private @Nullable Node<K, V> current;

    private Walk() {}

    public boolean next() {
      Node<K, V> node = pending.poll();
      current = node;
      if (node == null) {
        return false;
      }
      for (Node<K, V> below = node.right; below != null; below = below.left) {
        pending.push(below);
      }
      return true;
    }

    public K key() {
      return at().key;
    }

    public V value() {
      return at().value;
    }

    private Node<K, V> at() {
      Node<K, V> node = current;
      if (node == null) {
        throw new NoSuchElementException("the walk is not at an entry");
      }
      return node;
    }
  }

  private Node<K, V> put(@Nullable Node<K, V> node, K key, V value) {
    if (node == null) {
      return node(null, null, key, value);
    }
    int side = order.compare(key, node.key);
    if (side == 0) {
      return node(node.left, node.right, key, value);
    }
    return side < 0
        ? balanced(put(node.left, key, value), node.right, node.key, node.value)
        : balanced(node.left, put(node.right, key, value), node.key, node.value);
  }

  private @Nullable Node<K, V> remove(@Nullable Node<K, V> node, K key) {
    if (node == null) {
      return null;
    }
    int side = order.compare(key, node.key);
    if (side < 0) {
      return balanced(remove(node.left, key), node.right, node.key, node.value);
    }
    if (side > 0) {
      return balanced(node.left, remove(node.right, key), node.key, node.value);
    }
    if (node.right == null) {
      return node.left;
    }
    Node<K, V> next = node.right;
    while (next.left != null) {
      next = next.left;
    }
    return balanced(node.left, remove(node.right, next.key), next.key, next.value);
  }

  private static <K, V> Node<K, V> balanced(
      @Nullable Node<K, V> left, @Nullable Node<K, V> right, K key, V value) {
    int tilt = height(left) - height(right);
    if (tilt > 1 && left != null) {
      Node<K, V> inner = left.right;
      if (inner != null && height(inner) > height(left.left)) {
        return node(
            node(left.left, inner.left, left.key, left.value),
            node(inner.right, right, key, value),
            inner.key,
            inner.value);
      }
      return node(left.left, node(inner, right, key, value), left.key, left.value);
    }
    if (tilt < -1 && right != null) {
      Node<K, V> inner = right.left;
      if (inner != null && height(inner) > height(right.right)) {
        return node(
            node(left, inner.left, key, value),
            node(inner.right, right.right, right.key, right.value),
            inner.key,
            inner.value);
      }
      return node(node(left, inner, key, value), right.right, right.key, right.value);
    }
    return node(left, right, key, value);
  }

  private static <K, V> Node<K, V> node(
      @Nullable Node<K, V> left, @Nullable Node<K, V> right, K key, V value) {
    return new Node<>(
        left,
        right,
        key,
        value,
        1 + Math.max(height(left), height(right)),
        1 + size(left) + size(right));
  }

  private static int height(@Nullable Node<?, ?> node) {
    return node == null ? 0 : node.height;
  }

  private static int size(@Nullable Node<?, ?> node) {
    return node == null ? 0 : node.size;
  }
}
