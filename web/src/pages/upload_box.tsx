import { useEffect, useRef, useState } from "react";

import type { Note } from "../api/types";
import { useTexts } from "../text";
import { faultText } from "../ui/fault";
import { droppedFiles, useUpload, type UploadState } from "../ui/use_upload";

/** Files dropped anywhere on the page, or chosen, are sent; says how far they are and what became of them. */
export function UploadBox({ arrived }: { arrived: () => void }) {
  const { t } = useTexts();
  const [state, send] = useUpload(arrived);
  const [isOver, setOver] = useState(false);
  const sending = useRef(send);
  sending.current = send;

  useEffect(() => {
    const over = (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    };
    const away = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) void droppedFiles(event.dataTransfer).then((files) => sending.current(files));
    };
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", away);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", away);
      window.removeEventListener("drop", drop);
    };
  }, []);

  return (
    <section className={isOver ? "upload over" : "upload"} aria-label={t("upload.state")}>
      <Picker text={t("upload.choose")} send={send} />
      <Picker text={t("upload.folder")} send={send} folder />
      <span className="hint">{t("upload.drop")}</span>
      <div role="status">
        <UploadText state={state} />
      </div>
    </section>
  );
}

function Picker({ text, send, folder }: { text: string; send: (files: File[]) => void; folder?: boolean }) {
  return (
    <label className="button">
      {text}
      <input
        className="hidden"
        type="file"
        multiple
        {...(folder ? { webkitdirectory: "" } : {})}
        onChange={(event) => {
          send([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </label>
  );
}

function UploadText({ state }: { state: UploadState }) {
  const { t } = useTexts();
  if (state.step === "idle") return null;
  if (state.step === "sending") {
    const percent = Math.round(state.share * 100);
    return (
      <>
        <progress value={state.share} aria-label={t("upload.state")} />{" "}
        {t("upload.sending", { count: state.count, percent })}
      </>
    );
  }
  if (state.step === "sorting") return <>{t("upload.sorting")}</>;
  if (state.step === "done") {
    return (
      <>
        {t("upload.done", { count: state.studies.length })}
        <Notes notes={state.notes} />
      </>
    );
  }
  return (
    <>
      <strong>{t("upload.failed")}</strong> {state.error === null ? "" : faultText(state.error, t("error.lost"))}
      <Notes notes={state.notes} />
    </>
  );
}

function Notes({ notes }: { notes: readonly Note[] }) {
  const wanted = notes.filter((note) => note.level !== "accepted");
  if (wanted.length === 0) return null;
  return (
    <ul className="notes">
      {wanted.map((note, n) => (
        <li key={n}>
          {[note.file, note.problem, note.action].filter(Boolean).join(": ")}
        </li>
      ))}
    </ul>
  );
}
