import { useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import {
  clampTop,
  isScaled,
  rowsPerPage,
  scrollFromTop,
  scrollHeight,
  topFromScroll,
  visibleRange,
} from "../lib/virtual.ts";
import type { ListPosition } from "./list-position.ts";

interface VirtualRowsProps {
  label: string;
  position: ListPosition;
  count: number;
  rowHeight: number;
  columnCount: number;
  /** The widths of the columns, as `grid-template-columns` has them. */
  columns: string;
  /** Whether the rows are as wide as what one sees, and never wider. */
  fits?: boolean;
  header?: ComponentChildren;
  renderRow(row: number): ComponentChildren;
  /** Called with the rows that are drawn. */
  onRange?(first: number, end: number): void;
  onOpen?(row: number): void;
  /** Whether moving with the keyboard opens, too. */
  opensOnMove?: boolean;
}

/** A browser may round where it scrolls to. */
const ROUNDING = 2;

/** A list of any length, of which the rows in view are drawn. */
export function VirtualRows(props: VirtualRowsProps) {
  const { position, count, rowHeight, header } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const seen = useRef(0);
  const drawnTop = useRef(0);
  const layout = position.layout(count, rowHeight);
  const top = clampTop(position.top.value, layout);
  const range = visibleRange(top, layout);
  const shift = isScaled(layout) ? scrollFromTop(top, layout) - top : 0;

  useEffect(() => props.onRange?.(range.first, range.end), [range.first, range.end, count]);
  useViewport(scroller, head, position);

  const scroll = () => {
    const { scrollTop } = scroller.current ?? { scrollTop: 0 };
    seen.current = scrollTop;
    // What follows from the effect below is no person's scrolling.
    if (Math.abs(scrollTop - scrollFromTop(position.top.peek(), layout)) < ROUNDING) return;
    position.top.value = topFromScroll(scrollTop, layout);
  };
  // The position moves the scrolled element, unless a person has just moved it and the event is still to come.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (top === drawnTop.current && Math.abs(element.scrollTop - seen.current) >= ROUNDING) return scroll();
    drawnTop.current = top;
    const wanted = scrollFromTop(top, layout);
    if (Math.abs(element.scrollTop - wanted) >= ROUNDING) element.scrollTop = wanted;
    seen.current = element.scrollTop;
  }, [top, layout.count, layout.viewport]);

  // In a list that is scaled down, a turn of the wheel would go thousands of rows too far.
  useEffect(() => {
    const element = scroller.current;
    if (!element || !isScaled(layout)) return;
    const turn = (event: WheelEvent) => {
      if (event.ctrlKey || event.shiftKey || event.deltaY === 0) return;
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? rowHeight : 1;
      position.top.value = clampTop(position.top.peek() + event.deltaY * unit, layout);
      element.scrollLeft += event.deltaX;
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [count, rowHeight, layout.viewport]);

  const move = (row: number) => {
    const next = Math.min(Math.max(0, row), count - 1);
    if (next < 0) return;
    position.active.value = next;
    position.show(next, count, rowHeight);
    if (props.opensOnMove) props.onOpen?.(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const active = position.active.value;
    const moves: { [key: string]: number } = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + rowsPerPage(layout),
      PageUp: active - rowsPerPage(layout),
      Home: 0,
      End: count - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Enter" && active >= 0) props.onOpen?.(active);
    else return;
    event.preventDefault();
  };

  const isDrawn = position.active.value >= range.first && position.active.value < range.end;
  const rows = [];
  for (let row = range.first; row < range.end; row += 1) {
    rows.push(
      <div
        key={row}
        id={`${id}-${row}`}
        role="row"
        aria-rowindex={row + 1}
        aria-selected={row === position.active.value}
        class={`row ${row === position.active.value ? "active" : ""}`}
        style={{ transform: `translateY(${row * rowHeight + shift}px)`, height: `${rowHeight}px` }}
        onClick={() => {
          position.active.value = row;
          props.onOpen?.(row);
        }}
      >
        {props.renderRow(row)}
      </div>,
    );
  }
  return (
    <div
      ref={scroller}
      class={props.fits ? "rows fits" : "rows"}
      role="grid"
      aria-label={props.label}
      aria-rowcount={count}
      aria-colcount={props.columnCount}
      aria-activedescendant={isDrawn ? `${id}-${position.active.value}` : undefined}
      tabIndex={0}
      style={{ "--columns": props.columns }}
      onScroll={scroll}
      onKeyDown={onKeyDown}
    >
      <div class="rows-head" role="rowgroup" ref={head}>
        {header && (
          <div role="row" class="row-head">
            {header}
          </div>
        )}
      </div>
      <div class="rows-body" role="rowgroup" style={{ height: `${scrollHeight(layout)}px` }}>
        {rows}
      </div>
    </div>
  );
}

function useViewport(
  scroller: { current: HTMLDivElement | null },
  head: { current: HTMLDivElement | null },
  position: ListPosition,
): void {
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => {
      position.viewport.value = Math.max(0, element.clientHeight - (head.current?.offsetHeight ?? 0));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [position]);
  // Another table in the same place: one is at its beginning in both directions.
  useSignalEffect(() => {
    if (position.top.value === 0 && scroller.current && position.active.peek() < 0) scroller.current.scrollLeft = 0;
  });
}
