import { useState } from "react";

import * as calls from "../api/calls";
import type { Me } from "../api/types";
import { href } from "../router";
import { useTexts } from "../text";
import { personName } from "../text/names";
import { Fault } from "../ui/fault";
import { AccessDialog } from "./access";
import { AmendDialog } from "./amend";
import type { Review } from "./use_review";

/** Whose study it is; undo, redo, keys and sign; the files once signed. */
export function StudyBar({
  me,
  review,
  sign,
  help,
  isTrial = false,
}: {
  me: Me;
  review: Review;
  sign: () => void;
  help: () => void;
  isTrial?: boolean;
}) {
  const { t } = useTexts();
  const [isAmending, setAmending] = useState(false);
  const [isSharing, setSharing] = useState(false);
  const { study, draft, reading } = review;
  const facts = [personName(study.patient_name), study.patient_id, study.birth_date, t(`kind.${study.kind}`), study.date];
  const isSigned = study.state === "signed" && !review.canEdit;
  const state = study.state === "signed" && review.canEdit ? "reviewed" : study.state;
  const reader = reading.reader.kind === "program" ? t("study.program") : reading.reader.name;
  const name = facts.filter(Boolean).join(" · ");
  const lost = [
    review.isUnkept ? t("edit.unkept") : "",
    review.dropped > 0 ? t("edit.dropped", { count: review.dropped }) : "",
  ];
  return (
    <>
      <div className="study-bar">
        {!isTrial && (
          <a href={href()} aria-label={t("study.back")} title={t("study.back")}>
            ←
          </a>
        )}
        <h1 title={name}>{name}</h1>
        <small className="reader">{t("study.by", { reader })}</small>
        <span className={`state ${state}`}>{t(`state.${state}`)}</span>
        {draft.number_of_edits > 0 && <small>{t("study.edits", { count: draft.number_of_edits })}</small>}
        {review.isPending && <small role="status">{t("edit.pending")}</small>}
        {study.files.length > 0 && <Files review={review} />}
        <span className="space" />
        <button onClick={review.undo} disabled={!draft.can_undo} title="z" aria-keyshortcuts="z">
          {t("edit.undo")}
        </button>
        <button onClick={review.redo} disabled={!draft.can_redo} title="y" aria-keyshortcuts="y">
          {t("edit.redo")}
        </button>
        {study.may_share && (
          <button onClick={() => setSharing(true)} title={t("access.title")}>
            {t("access.open")}
          </button>
        )}
        <button onClick={help} title="?" aria-keyshortcuts="?">
          {t("edit.help")}
        </button>
        {!isTrial && !isSigned && (
          <button
            className="main"
            onClick={sign}
            disabled={me.role === "reader" || !review.canEdit}
            title={me.role === "reader" ? t("sign.role") : "s"}
            aria-keyshortcuts="s"
          >
            {t("edit.sign")}
          </button>
        )}
        {!isTrial && isSigned && me.role !== "reader" && (
          <button onClick={() => setAmending(true)} title={t("study.signed")}>
            {t("study.amend")}
          </button>
        )}
      </div>
      {isSharing && <AccessDialog base={review.base} close={() => setSharing(false)} />}
      {isAmending && <AmendDialog review={review} close={() => setAmending(false)} />}
      {review.error !== null && (
        <Fault error={review.error} more={lost.filter(Boolean).join(" ")} close={review.forgive} />
      )}
    </>
  );
}

function Files({ review }: { review: Review }) {
  const { t } = useTexts();
  return (
    <details className="files">
      <summary>{t("study.files")}</summary>
      <ul>
        {review.study.files.map((name) => (
          <li key={name}>
            <a href={calls.fileUrl(review.base, name)} download>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
}
