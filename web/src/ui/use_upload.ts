import { useState } from "react";

import * as calls from "../api/calls";
import { ApiError } from "../api/http";
import type { Note, Upload } from "../api/types";

export type UploadState =
  | { step: "idle" }
  | { step: "sending"; count: number; share: number }
  | { step: "sorting" }
  | { step: "done"; studies: string[]; notes: Note[] }
  | { step: "failed"; error: unknown; notes: Note[] };

const PAUSE_MS = 400;
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Sends files and follows them until they are sorted into studies. */
export function useUpload(arrived: () => void): [UploadState, (files: readonly File[]) => Promise<void>] {
  const [state, setState] = useState<UploadState>({ step: "idle" });
  const send = async (files: readonly File[]): Promise<void> => {
    if (files.length === 0) return;
    setState({ step: "sending", count: files.length, share: 0 });
    try {
      const { upload } = await calls.upload(files, (share) => setState({ step: "sending", count: files.length, share }));
      setState({ step: "sorting" });
      const end = await follow(upload);
      arrived();
      if (end.state === "failed") setState({ step: "failed", error: null, notes: end.notes });
      else setState({ step: "done", studies: end.studies, notes: end.notes });
    } catch (error) {
      setState({ step: "failed", error, notes: [] });
    }
  };
  return [state, send];
}

async function follow(id: string): Promise<Upload> {
  for (;;) {
    const now = await calls.uploaded(id).catch(unlessAway);
    if (now && (now.state === "done" || now.state === "failed")) return now;
    await pause();
  }
}

/** What the server has received it sorts once it is back. */
function unlessAway(error: unknown): null {
  if (error instanceof ApiError && error.status === 0) return null;
  throw error;
}

/** Every file of a drop, those in folders too. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...transfer.files];
  const lists = await Promise.all(entries.map(filesOf));
  return lists.flat();
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  // A reader hands over at most a hundred entries at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    found.push(...(await Promise.all(some.map(filesOf))).flat());
  }
}
