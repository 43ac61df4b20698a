import { useSyncExternalStore } from 'react';

/** A variable of a module, which components can follow. */
export function variable<T>(initial: T) {
  let value = initial;
  const listeners = new Set<() => void>();
  const get = () => value;
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    get,
    set(next: T) {
      value = next;
      for (const listener of listeners) listener();
    },
    /** The value, for a component. */
    use: () => useSyncExternalStore(subscribe, get),
  };
}
