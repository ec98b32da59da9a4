import { useEffect } from "react";

import { ApiError } from "../api/http";
import { useTexts } from "../text";
import { Told } from "../text/told";

/** An error in the server's words, announced; asks the page to log in again where the session is over. */
export function Fault({
  error,
  more,
  again,
  close,
}: {
  error: unknown;
  more?: string;
  again?: () => void;
  close?: () => void;
}) {
  const { t } = useTexts();
  const over = error instanceof ApiError && error.status === 401;
  useEffect(() => {
    if (over) window.dispatchEvent(new Event("osteoscope:logged-out"));
  }, [over]);
  return (
    <div className="fault" role="alert">
      <span>
        {error instanceof Told ? t(error.key) : faultText(error, t("error.lost"))}
        {more && <br />}
        {more}
      </span>
      {again && <button onClick={again}>{t("error.again")}</button>}
      {close && <button onClick={close}>{t("close")}</button>}
    </div>
  );
}

export function faultText(error: unknown, lost: string): string {
  if (error instanceof ApiError) return error.status === 0 ? lost : error.message;
  return error instanceof Error ? error.message : String(error);
}
