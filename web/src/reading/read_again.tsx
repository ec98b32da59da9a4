import { useState } from "react";

import * as calls from "../api/calls";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";

/** Lets the program read a study again, as mIBG where the reader vouches for a tracer that the header does not state. */
export function ReadAgain({ id, tracer, done }: { id: string; tracer: "" | "mIBG"; done: () => void }) {
  const { t } = useTexts();
  const [fault, setFault] = useState<unknown>(null);
  return (
    <>
      <button onClick={() => void calls.readAgain(id, tracer).then(done, setFault)}>
        {t(tracer ? "study.isMibg" : "study.again")}
      </button>
      {fault !== null && <Fault error={fault} close={() => setFault(null)} />}
    </>
  );
}
