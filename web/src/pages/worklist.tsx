import { useDeferredValue, useEffect, useState } from "react";

import * as calls from "../api/calls";
import { fetchCode, prepare } from "../ct/opening";
import type { StudyItem } from "../api/types";
import { href } from "../router";
import { useTexts } from "../text";
import { personName } from "../text/names";
import type { Key } from "../text/en";
import { Fault } from "../ui/fault";
import { Heads } from "../ui/heads";
import { useFetched } from "../ui/use_fetched";
import { UploadBox } from "./upload_box";

const PAGE = 50;
const KINDS = ["ct", "nm-planar"] as const;
const STATES = ["arrived", "reading", "failed", "read", "reviewed", "signed"] as const;
/** Columns of the server; "-" before one: descending. */
const ORDERS = ["-date", "date", "-arrived", "patient_name", "state", "-siopen_total"] as const;
const HEADS: Key[] = ["list.patient", "list.id", "list.birth", "list.kind", "list.date", "list.state", "list.scores"];
const BUSY_MS = 1500;
const QUIET_MS = 20_000;

interface Asked {
  search: string;
  kind: string;
  state: string;
  order: string;
  offset: number;
}
const ALL: Asked = { search: "", kind: "", state: "", order: "-date", offset: 0 };
/** What each person asked for last, there again after a study was looked at. */
const lastAsked = new Map<string, Asked>();

/** Studies with search, filters and scores, a page at a time. */
export function Worklist({ person }: { person: string }) {
  const { t } = useTexts();
  const [wanted, setWanted] = useState(lastAsked.get(person) ?? ALL);
  const ask = (change: Partial<Asked>) => {
    const now = { ...wanted, offset: 0, ...change };
    lastAsked.set(person, now);
    setWanted(now);
  };
  const asked = { ...useDeferredValue(wanted), limit: PAGE };
  // The former lines stay until those that were searched for are there.
  const { last: value, error, again } = useFetched(() => calls.studies(asked), JSON.stringify(asked));

  const isMoving = value?.items.some((item) => item.state === "arrived" || item.state === "reading") ?? false;
  useEffect(() => {
    const look = () => document.visibilityState === "visible" && again();
    const timer = setInterval(look, isMoving ? BUSY_MS : QUIET_MS);
    document.addEventListener("visibilitychange", look);
    window.addEventListener("focus", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("focus", look);
    };
  }, [isMoving, again]);

  const holdsCt = value?.items.some((item) => item.kind === "ct") ?? false;
  useEffect(() => (holdsCt ? whenIdle(fetchCode) : undefined), [holdsCt]);
  useEffect(() => whenIdle(() => void import("./study").catch(() => undefined)), []);

  const total = value?.total ?? 0;
  return (
    <main className="worklist">
      <h1 className="hidden">{t("nav.worklist")}</h1>
      <div className="filters" role="search">
        <input
          type="search"
          autoFocus
          placeholder={t("list.search")}
          aria-label={t("list.search")}
          value={wanted.search}
          onChange={(event) => ask({ search: event.target.value })}
        />
        <Choice name="list.kind" value={wanted.kind} set={(kind) => ask({ kind })} options={KINDS} prefix="kind" all />
        <Choice name="list.state" value={wanted.state} set={(state) => ask({ state })} options={STATES} prefix="state" all />
        <Choice name="list.order" value={wanted.order} set={(order) => ask({ order })} options={ORDERS} prefix="order" />
        <span aria-live="polite">{t("list.count", { count: total })}</span>
      </div>
      <UploadBox arrived={again} />
      {error !== null && <Fault error={error} again={again} />}
      {value && value.items.length === 0 && <p className="empty">{t("list.none")}</p>}
      {value && value.items.length > 0 && <Table items={value.items} />}
      {total > PAGE && <Pages offset={wanted.offset} total={total} set={(offset) => ask({ offset })} />}
    </main>
  );
}

function Choice({
  name,
  value,
  set,
  options,
  prefix,
  all = false,
}: {
  name: Key;
  value: string;
  set: (value: string) => void;
  options: readonly string[];
  prefix: "kind" | "state" | "order";
  all?: boolean;
}) {
  const { t } = useTexts();
  return (
    <label>
      {t(name)}{" "}
      <select value={value} onChange={(event) => set(event.target.value)}>
        {all && <option value="">{t("list.all")}</option>}
        {options.map((option) => (
          <option key={option} value={option}>
            {t(`${prefix}.${option}` as Key)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Table({ items }: { items: readonly StudyItem[] }) {
  const { t } = useTexts();
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t("nav.worklist")}>
      <table>
        <Heads of={HEADS} />
        <tbody>
          {items.map((item) => (
            <Row key={item.id} item={item} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Does something once the browser has nothing else to do; the answer stops it. */
function whenIdle(act: () => void): () => void {
  const handle = requestIdleCallback(act);
  return () => cancelIdleCallback(handle);
}

const WAS_READ = new Set(["read", "reviewed", "signed"]);
const isReadCt = ({ kind, state }: StudyItem): boolean => kind === "ct" && WAS_READ.has(state);
const isPlain = (event: React.MouseEvent): boolean => !event.ctrlKey && !event.metaKey && !event.shiftKey;

function Row({ item }: { item: StudyItem }) {
  const { t } = useTexts();
  const name = personName(item.patient_name) || item.patient_id || "–";
  const date = item.date || "–";
  const scores = scoreText(item.scores, t);
  return (
    <tr>
      <td>
        <a
          className="row"
          href={href("studies", item.id)}
          aria-label={t("list.open", { name, date })}
          onClick={(event) => isReadCt(item) && isPlain(event) && prepare(calls.studyBase(item.id))}
        >
          {name}
        </a>
      </td>
      <td>{item.patient_id}</td>
      <td>{item.birth_date}</td>
      <td>{t(`kind.${item.kind}`)}</td>
      <td>{item.date}</td>
      <td>
        <span className={`state ${item.state}`} title={item.problem}>
          {t(`state.${item.state}`)}
        </span>
        {item.state === "reading" && <progress value={item.progress} aria-label={t("state.reading")} />}
        {item.problem && <small className="problem">{item.problem}</small>}
      </td>
      <td>
        {scores} {item.state === "reviewed" && scores && <small>({t("study.program")})</small>}
      </td>
    </tr>
  );
}

function scoreText(scores: StudyItem["scores"], t: ReturnType<typeof useTexts>["t"]): string {
  const parts: string[] = [];
  if (scores.siopen_total !== null) parts.push(`${t("score.siopen")} ${scores.siopen_total}`);
  if (scores.curie_total !== null) parts.push(`${t("score.curie")} ${scores.curie_total}`);
  if (parts.length === 0 && scores.lesions !== null) parts.push(t("list.lesions", { count: scores.lesions }));
  return parts.join(" · ");
}

function Pages({ offset, total, set }: { offset: number; total: number; set: (offset: number) => void }) {
  const { t } = useTexts();
  const page = Math.floor(offset / PAGE) + 1;
  const pages = Math.ceil(total / PAGE);
  return (
    <nav className="pages" aria-label={t("list.page", { page, pages })}>
      <button disabled={page === 1} onClick={() => set(offset - PAGE)}>
        {t("list.previous")}
      </button>
      <span>{t("list.page", { page, pages })}</span>
      <button disabled={page === pages} onClick={() => set(offset + PAGE)}>
        {t("list.next")}
      </button>
    </nav>
  );
}
