import { numberText } from "../reading/levels";
import { isAccepted, markOf, type Aspect } from "../reading/said";
import type { Finding, Reading } from "../reading/types";
import { useTexts } from "../text";
import { Select } from "../ui/select";
import { TYPES, type LesionType } from "./steps";

export const ASPECTS: readonly Aspect[] = ["size", "location", "detection"];
const MEASURES = [
  ["long_axis", "ct.axis"],
  ["volume", "ct.volume"],
] as const;

export interface LesionActions {
  choose: (lesion: Finding) => void;
  decide: (id: string, op: "accept" | "reject") => void;
  setType: (id: string, type: LesionType) => void;
  /** Judges an aspect otherwise than it is judged now. */
  mark: (id: string, aspect: Aspect) => void;
  edit: (lesion: Finding) => void;
}

/** The lesions; a click goes to one, and shows what can be said of it. */
export function Lesions({
  reading,
  current,
  canEdit,
  isDrawing,
  actions,
}: {
  reading: Reading;
  current: string | null;
  canEdit: boolean;
  /** Whether the brush is in hand: then the lesion stays the one that is drawn. */
  isDrawing: boolean;
  actions: LesionActions;
}) {
  const { t } = useTexts();
  if (reading.findings.length === 0) return <p className="empty">{t("ct.none")}</p>;
  return (
    <ul className="lesions">
      {reading.findings.map((lesion) => (
        <Lesion
          key={lesion.id}
          lesion={lesion}
          isCurrent={lesion.id === current}
          canEdit={canEdit}
          isDrawing={isDrawing}
          actions={actions}
        />
      ))}
    </ul>
  );
}

function Lesion({
  lesion,
  isCurrent,
  canEdit,
  isDrawing,
  actions,
}: {
  lesion: Finding;
  isCurrent: boolean;
  canEdit: boolean;
  isDrawing: boolean;
  actions: LesionActions;
}) {
  const { t, site } = useTexts();
  return (
    <li className={isCurrent ? "lesion current" : "lesion"} data-lesion={lesion.id}>
      <button
        className="quiet jump"
        title={t("ct.jump", { id: lesion.id })}
        aria-current={isCurrent}
        aria-disabled={isDrawing}
        onClick={() => actions.choose(lesion)}
      >
        <i className={`dot ${lesion.kind}`} aria-hidden />
        <b>{lesion.id}</b> {site(lesion.site)}
        <small>
          {t(`finding.${lesion.kind}`)} · {measuresText(lesion, t)} · {Math.round(lesion.confidence * 100)} %
          {isAccepted(lesion) && ` · ${t("ct.accepted")}`}
        </small>
      </button>
      {isCurrent && canEdit && !isDrawing && <Judge lesion={lesion} actions={actions} />}
    </li>
  );
}

function Judge({
  lesion,
  actions,
}: {
  lesion: Finding;
  actions: LesionActions;
}) {
  const { t } = useTexts();
  return (
    <div className="judge">
      <button aria-pressed={isAccepted(lesion)} title="a" onClick={() => actions.decide(lesion.id, "accept")}>
        {t("ct.accept")}
      </button>
      <button title="r" onClick={() => actions.decide(lesion.id, "reject")}>
        {t("ct.reject")}
      </button>
      <label title="t">
        {t("ct.type")}{" "}
        <Select value={lesion.kind} choose={(type) => actions.setType(lesion.id, type as LesionType)}>
          {TYPES.map((type) => (
            <option key={type} value={type}>
              {t(`finding.${type}`)}
            </option>
          ))}
        </Select>
      </label>
      <button title="e" onClick={() => actions.edit(lesion)}>
        {t("ct.edit")}
      </button>
      {ASPECTS.map((aspect, n) => (
        <button
          key={aspect}
          title={String(n + 1)}
          className={`mark ${markClass(markOf(lesion, aspect))}`}
          aria-label={`${t("ct.mark", { aspect: t(`ct.${aspect}`), id: lesion.id })}: ${markText(markOf(lesion, aspect), t)}`}
          onClick={() => actions.mark(lesion.id, aspect)}
        >
          {t(`ct.${aspect}`)} {markText(markOf(lesion, aspect), t)}
        </button>
      ))}
    </div>
  );
}

const markClass = (mark: boolean | null): string => (mark === true ? "right" : mark === false ? "wrong" : "");

function markText(mark: boolean | null, t: ReturnType<typeof useTexts>["t"]): string {
  return mark === true ? t("ct.right") : mark === false ? t("ct.wrong") : "–";
}

function measuresText(lesion: Finding, t: ReturnType<typeof useTexts>["t"]): string {
  return MEASURES.flatMap(([name, key]) => {
    const measure = lesion.measures.find((one) => one.name === name);
    return measure ? [t(key, { value: `${numberText(measure.value)} ${measure.unit}` })] : [];
  }).join(", ");
}
