import { lazy, Suspense, useCallback, useEffect, useState } from "react";

import * as calls from "./api/calls";
import { ApiError, onSessionOver } from "./api/http";
import type { Me } from "./api/types";
import { Login } from "./pages/login";
import { LoginAgain } from "./pages/login_again";
import { Worklist } from "./pages/worklist";
import { useRoute } from "./router";
import { useTexts } from "./text";
import { Boundary } from "./ui/boundary";
import { Fault } from "./ui/fault";
import { Header } from "./ui/header";

const StudyPage = lazy(() => import("./pages/study").then((page) => ({ default: page.StudyPage })));
const Trials = lazy(() => import("./pages/trials").then((page) => ({ default: page.Trials })));
const TrialCase = lazy(() => import("./pages/trial_case").then((page) => ({ default: page.TrialCase })));
const Audit = lazy(() => import("./pages/audit").then((page) => ({ default: page.Audit })));
const Users = lazy(() => import("./pages/users").then((page) => ({ default: page.Users })));

/** Requests that wait until the person has logged in again, or not. */
interface Waiting {
  answer: (isBack: boolean) => void;
}

export function App() {
  const { t } = useTexts();
  const [me, setMe] = useState<Me | null | undefined>(undefined);
  const [fault, setFault] = useState<unknown>(null);
  const [page, ...rest] = useRoute();
  const name = me?.name;

  const load = useCallback(async () => {
    try {
      setMe(await calls.me());
      setFault(null);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) setMe(null);
      else setFault(error);
    }
  }, []);
  useEffect(() => void load(), [load]);
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  useEffect(() => {
    let shared: Promise<boolean> | null = null;
    onSessionOver(() => {
      if (!name) return Promise.resolve(false);
      shared ??= new Promise<boolean>((answer) => setWaiting({ answer })).finally(() => (shared = null));
      return shared;
    });
  }, [name]);
  const isBack = (person: Me | null) => {
    setWaiting(null);
    setMe(person);
    waiting?.answer(person !== null);
  };

  if (fault) return <Fault error={fault} again={() => void load()} />;
  if (me === undefined) return <p className="loading">{t("loading")}</p>;
  if (me === null) return <Login link={linkOf(page, rest)} entered={() => void load()} />;
  return (
    <>
      <Header me={me} page={page ?? ""} left={() => setMe(null)} />
      {waiting && <LoginAgain me={me} entered={isBack} leave={() => isBack(null)} />}
      <Boundary key={[page, ...rest].join("/")}>
        <Suspense fallback={<p className="loading">{t("loading")}</p>}>
          <Page me={me} page={page} rest={rest} />
        </Suspense>
      </Boundary>
    </>
  );
}

function Page({ me, page, rest }: { me: Me; page: string | undefined; rest: string[] }) {
  const [first, second] = rest;
  if (page === "studies" && first) return <StudyPage key={first} me={me} id={first} />;
  if (page === "trials" && first && second) return <TrialCase key={second} me={me} trial={first} id={second} />;
  if (page === "trials") return <Trials me={me} />;
  if (page === "audit" && me.role === "admin") return <Audit />;
  if (page === "users" && me.role === "admin") return <Users me={me} />;
  return <Worklist person={me.name} />;
}

/** The token of "#first=TOKEN", as the server prints it at its first start; "" for "#/first", where it is typed in. */
function linkOf(page: string | undefined, rest: string[]): string | null {
  if (page === "first") return rest[0] ?? "";
  return page?.startsWith("first=") ? page.slice("first=".length) : null;
}
