import { useState } from "react";

import * as calls from "../api/calls";
import type { Me } from "../api/types";
import { href, mayLeave } from "../router";
import { useTexts } from "../text";
import type { Key } from "../text/en";
import { Fault } from "./fault";
import { PasswordDialog } from "./password";

const PAGES: { page: string; key: Key; admin: boolean }[] = [
  { page: "", key: "nav.worklist", admin: false },
  { page: "trials", key: "nav.trials", admin: false },
  { page: "users", key: "nav.users", admin: true },
  { page: "audit", key: "nav.audit", admin: true },
];

/** The bar above every page; it says that the software is for research. */
export function Header({ me, page, left }: { me: Me; page: string; left: () => void }) {
  const { t, swap } = useTexts();
  const [isChanging, setChanging] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const leave = async () => {
    if (!mayLeave()) return;
    try {
      await calls.logout();
      left();
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <>
      <header className="bar">
        <strong className="brand">Osteoscope</strong>
        <nav aria-label={t("nav.main")}>
          {PAGES.filter((one) => !one.admin || me.role === "admin").map((one) => (
            <a
              key={one.page}
              href={one.page ? href(one.page) : "#/"}
              aria-current={one.page === page ? "page" : undefined}
            >
              {t(one.key)}
            </a>
          ))}
        </nav>
        <Research />
        <button className="quiet" onClick={swap} lang={t("language") === "English" ? "en" : "fr"}>
          {t("language")}
        </button>
        <button className="quiet" title={t("password.title")} onClick={() => setChanging(true)}>
          {me.name}
        </button>
        {isChanging && <PasswordDialog close={() => setChanging(false)} />}
        <button className="quiet" onClick={() => void leave()}>
          {t("nav.logout")}
        </button>
      </header>
      {fault !== null && <Fault error={fault} close={() => setFault(null)} />}
    </>
  );
}

export function Research() {
  const { t } = useTexts();
  return <p className="research">{t("research")}</p>;
}
