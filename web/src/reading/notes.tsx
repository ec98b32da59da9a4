import { useEffect, useRef, useState } from "react";

import type { Key } from "../text/en";
import { useTexts } from "../text";
import { NOTES, unkeptAt, type NoteOp } from "./unkept_notes";
import type { Review } from "./use_review";

/** As the server takes it (`osteoscope.app.edit_shapes`). */
const LONGEST = 4000;

/** Comment and soft-tissue note; kept when the field is left. */
export function Notes({ review, softTissue = true }: { review: Review; softTissue?: boolean }) {
  const { t } = useTexts();
  return (
    <div className="notes-tab">
      <Field review={review} op="comment" name="notes.comment" />
      {softTissue && <Field review={review} op="soft_tissue" name="notes.softTissue" />}
      <small>{t("notes.hint")}</small>
      <Limits review={review} />
    </div>
  );
}

function Field({ review, op, name }: { review: Review; op: NoteOp; name: Key }) {
  const { t } = useTexts();
  const kept = NOTES[op](review.reading);
  const unsaved = unkeptAt(op, review.person, review.base);
  // What a person typed and could not be stored is there again when the page is loaded again.
  const [text, setText] = useState((review.canEdit ? sessionStorage.getItem(unsaved) : null) ?? kept);
  useEffect(() => {
    if (text === kept) sessionStorage.removeItem(unsaved);
    else sessionStorage.setItem(unsaved, text);
  }, [unsaved, text, kept]);
  const before = useRef(kept);
  const sent = useRef<string | null>(null);
  useEffect(() => {
    const was = before.current;
    // What was typed since it was sent stays.
    setText((now) => (now === was ? kept : now));
    before.current = kept;
    sent.current = null;
  }, [kept]);
  const latest = useRef(() => {});
  latest.current = () => {
    if (!review.canEdit || text === kept || text === sent.current) return;
    sent.current = text;
    void review.edit({ op, text }).then((made) => {
      if (!made) sent.current = null;
      else if (sessionStorage.getItem(unsaved) === text) sessionStorage.removeItem(unsaved);
    });
  };
  useEffect(() => {
    const leave = () => latest.current();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, []);
  return (
    <label>
      {t(name)}
      <textarea
        id={`note-${op}`}
        rows={3}
        maxLength={LONGEST}
        value={text}
        readOnly={!review.canEdit}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => latest.current()}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
    </label>
  );
}

function Limits({ review }: { review: Review }) {
  const { t, site } = useTexts();
  const { gaps, intake } = review.reading;
  return (
    <>
      {gaps.length > 0 && (
        <section>
          <h3>{t("study.gaps")}</h3>
          <ul>
            {gaps.map((gap, n) => (
              <li key={n}>
                {gap.where === "study" ? "" : `${site(gap.where)}: `}
                {gap.step}: {gap.reason}
              </li>
            ))}
          </ul>
        </section>
      )}
      {intake.length > 0 && (
        <section>
          <h3>{t("study.intake")}</h3>
          <ul>
            {intake.map((note, n) => (
              <li key={n}>
                {note.file}: {note.problem}, {note.action}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
