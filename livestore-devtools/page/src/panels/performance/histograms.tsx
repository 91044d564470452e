import { count, micros } from "../../lib/format.ts";
import { filledRange, percentile } from "../../lib/histogram.ts";
import type { Histogram, NamedHistogram } from "../../protocol.ts";
import { Empty } from "../../ui/states.tsx";

export function HistogramCard({ title, histogram }: { title: string; histogram: Histogram }) {
  return (
    <section class="card" aria-label={title}>
      <h2>
        {title} <span class="panel-note">{count(histogram.count)}</span>
      </h2>
      {histogram.count === 0 ? (
        <p class="panel-note">None yet.</p>
      ) : (
        <>
          <dl class="figures">
            <Figure name="median" value={percentile(histogram, 0.5)} />
            <Figure name="p95" value={percentile(histogram, 0.95)} />
            <Figure name="p99" value={percentile(histogram, 0.99)} />
            <Figure name="longest" value={histogram.maxMicros} />
            <Figure name="mean" value={histogram.sumMicros / histogram.count} />
          </dl>
          <Bars histogram={histogram} />
        </>
      )}
    </section>
  );
}

function Figure({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="mono">{micros(value)}</dd>
    </div>
  );
}

function Bars({ histogram: { buckets } }: { histogram: Histogram }) {
  const { first, last } = filledRange(buckets);
  const most = Math.max(1, ...buckets);
  const shown = Array.from({ length: last - first + 1 }, (_, index) => ({
    power: first + index,
    inside: buckets[first + index] ?? 0,
  }));
  return (
    <ol class="bars" aria-label="The number of times by how long they took">
      {shown.map(({ power, inside }) => (
        <li key={power} title={`up to ${micros(2 ** power)}: ${count(inside)}`}>
          <span class="bars-bar" style={{ "--share": inside / most }} aria-hidden="true" />
          <span class="bars-label">{micros(2 ** power)}</span>
          <span class="visually-hidden">{count(inside)} times</span>
        </li>
      ))}
    </ol>
  );
}

export function MaterializerTable({ histograms }: { histograms: NamedHistogram[] }) {
  const most = Math.max(1, ...histograms.map(({ sumMicros }) => sumMicros));
  return (
    <section class="block" aria-labelledby="materializers-title">
      <div class="block-head">
        <h2 id="materializers-title">Materializers</h2>
      </div>
      {histograms.length === 0 ? (
        <Empty icon="performance" title="No event has been applied yet" />
      ) : (
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">Event</th>
              <th scope="col">Share of the time</th>
              <th scope="col" class="number">
                In all
              </th>
              <th scope="col" class="number">
                Runs
              </th>
              <th scope="col" class="number">
                Median
              </th>
              <th scope="col" class="number">
                p99
              </th>
              <th scope="col" class="number">
                Longest
              </th>
            </tr>
          </thead>
          <tbody>
            {histograms.map((each) => (
              <tr key={each.name}>
                <td class="mono">{each.name}</td>
                <td>
                  <span class="bar" style={{ "--share": each.sumMicros / most }} />
                </td>
                <td class="number mono">{micros(each.sumMicros)}</td>
                <td class="number mono">{count(each.count)}</td>
                <td class="number mono">{micros(percentile(each, 0.5))}</td>
                <td class="number mono">{micros(percentile(each, 0.99))}</td>
                <td class="number mono">{micros(each.maxMicros)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
