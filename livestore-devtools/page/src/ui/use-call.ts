import { useEffect, useRef, useState } from "preact/hooks";
import { CallError } from "../connection/client.ts";

export interface CallView<T> {
  value: T | undefined;
  error: unknown;
  isLoading: boolean;
}

/**
 * What `call` gives, called again when one of `inputs` is another. What there was is shown until the new
 * value has come; of two calls at a time, the earlier one is cancelled.
 */
export function useCall<T>(call: (abort: AbortSignal) => Promise<T>, inputs: readonly unknown[]): CallView<T> {
  const [view, setView] = useState<CallView<T>>({ value: undefined, error: null, isLoading: true });
  const current = useRef(call);
  current.current = call;
  useEffect(() => {
    const abort = new AbortController();
    setView((before) => ({ ...before, isLoading: true }));
    current.current(abort.signal).then(
      (value) => !abort.signal.aborted && setView({ value, error: null, isLoading: false }),
      (error: unknown) => {
        if (abort.signal.aborted || (error instanceof CallError && error.code === "cancelled")) return;
        setView((before) => ({ value: before.value, error, isLoading: false }));
      },
    );
    return () => abort.abort();
  }, inputs);
  return view;
}

/** `trigger`, of which another value is seen at most every `ms`: for calls that cost something. */
export function useThrottled<T>(trigger: T, ms: number): T {
  const [shown, setShown] = useState(trigger);
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, last.current + ms - Date.now());
    const timer = setTimeout(() => {
      last.current = Date.now();
      setShown(trigger);
    }, wait);
    return () => clearTimeout(timer);
  }, [trigger, ms]);
  return shown;
}

/** Counts up every `ms` while the page is seen. */
export function useBeat(ms: number): number {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setBeat((before) => before + 1);
    }, ms);
    return () => clearInterval(timer);
  }, [ms]);
  return beat;
}
