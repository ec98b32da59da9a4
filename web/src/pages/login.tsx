import { useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import { go } from "../router";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { Research } from "../ui/header";

/** Login; at the first start, the first administrator is made by the one-time link. */
export function Login({ link, entered }: { link: string | null; entered: () => void }) {
  const { t, swap } = useTexts();
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const isFirst = link !== null;

  const enter = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (field: string) => String(form.get(field) ?? "");
    setBusy(true);
    try {
      if (isFirst) await calls.first(text("link"), text("name"), text("password"));
      else await calls.login(text("name"), text("password"));
      if (isFirst) go();
      entered();
    } catch (error) {
      setFault(error);
      setBusy(false);
    }
  };

  return (
    <main className="login">
      <h1>Osteoscope</h1>
      <form onSubmit={(event) => void enter(event)} aria-label={t(isFirst ? "first.title" : "login.title")}>
        <h2>{t(isFirst ? "first.title" : "login.title")}</h2>
        {isFirst && (
          <label>
            {t("first.link")}
            <input name="link" defaultValue={link} required autoComplete="off" />
          </label>
        )}
        <label>
          {t("login.name")}
          <input name="name" required autoFocus autoComplete="username" />
        </label>
        <label>
          {t("login.password")}
          <input
            name="password"
            type="password"
            required
            minLength={isFirst ? 12 : undefined}
            autoComplete={isFirst ? "new-password" : "current-password"}
          />
          {isFirst && <small>{t("first.hint")}</small>}
        </label>
        {fault !== null && <Fault error={fault} />}
        <button className="main" disabled={busy}>
          {t(isFirst ? "first.make" : "login.enter")}
        </button>
      </form>
      <Research />
      <button className="quiet" onClick={swap}>
        {t("language")}
      </button>
    </main>
  );
}

