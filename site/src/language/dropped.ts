// The files that a user chose or dropped: files, or those of a folder.

/** A name for files: that of their folder, of their model, or of the only one. */
export function nameOfFiles(files: readonly File[]): string {
  const [first] = files
  const folder = first?.webkitRelativePath.split('/')[0] ?? ''
  const model = files.length === 1 ? first : files.find(({ name }) => /\.gguf$/i.test(name))
  return folder || (model?.name ?? 'the chosen files')
}

/** Must be called before the event ends: afterwards the browser hides what was dropped. */
export async function droppedFiles(transfer: DataTransfer | null): Promise<{ name: string; files: File[] }> {
  const entries = [...(transfer?.items ?? [])].flatMap((item) => item.webkitGetAsEntry() ?? [])
  const files: File[] = []
  for (const entry of entries)
    if (isFolder(entry)) files.push(...(await Promise.all((await childrenOf(entry)).filter(isFile).map(fileOf))))
    else if (isFile(entry)) files.push(await fileOf(entry))
  return { name: entries[0]?.name ?? '', files }
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile
const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject))

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    // A folder is read in parts of a hundred.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (part.length === 0) return all
    all.push(...part)
  }
}
