// Images of the user: a folder with a subfolder for each class, or pictures of the camera.

import { useEffect, useRef, useState } from 'preact/hooks'
import { Button } from './fields'
import { session } from './session'

const MOST = 600
const LABELS = ['first', 'second', 'third'] as const

/** The class of an image is the name of its folder. */
export function chooseFolder(files: readonly File[]): void {
  const images = files
    .filter(({ type }) => type.startsWith('image/'))
    .slice(0, MOST)
    .map((file) => ({ file, label: file.webkitRelativePath.split('/').at(-2) ?? 'images' }))
  session.choose('images', { images })
}

interface Shot {
  readonly file: Blob
  readonly label: string
}

/** Takes pictures of two or three classes while a button is held. */
export function Camera() {
  const video = useRef<HTMLVideoElement>(null)
  const [stream, setStream] = useState<MediaStream | null>(null)
  const [shots, setShots] = useState<readonly Shot[]>([])
  const timer = useRef<ReturnType<typeof setInterval>>(undefined)
  useEffect(() => () => stream?.getTracks().forEach((track) => track.stop()), [stream])
  const start = async (): Promise<void> => {
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 320 } })
      setStream(opened)
      video.current!.srcObject = opened
      await video.current!.play()
    } catch {
      session.notice.set({
        kind: 'error',
        text: 'The camera could not be opened. Allow it in the address bar, or choose a folder.',
      })
    }
  }
  const shoot = (label: string): void => {
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = 96
    const { videoWidth: w, videoHeight: h } = video.current!
    const side = Math.min(w, h)
    canvas.getContext('2d')!.drawImage(video.current!, (w - side) / 2, (h - side) / 2, side, side, 0, 0, 96, 96)
    canvas.toBlob((file) => file !== null && setShots((before) => [...before, { file, label }]))
  }
  const hold = (label: string): void => {
    shoot(label)
    clearInterval(timer.current)
    timer.current = setInterval(() => shoot(label), 150)
  }
  const release = (): void => clearInterval(timer.current)
  return (
    <div class="camera">
      {stream === null && (
        <Button title="Opens the camera to take pictures of each class" onClick={() => void start()}>
          Use the camera
        </Button>
      )}
      <video ref={video} muted playsInline hidden={stream === null} aria-label="The camera" />
      {stream !== null && (
        <>
          <p class="soft">Hold a button to take pictures of a class, at least ten of each.</p>
          <div class="row">
            {LABELS.map((label) => (
              <button
                key={label}
                type="button"
                class="plain"
                title={`Takes pictures of the ${label} class`}
                onPointerDown={() => hold(label)}
                onPointerUp={release}
                onPointerLeave={release}
                onKeyDown={(event) => event.key === 'Enter' && shoot(label)}
              >
                {label} ({shots.filter((each) => each.label === label).length})
              </button>
            ))}
          </div>
          <div class="row">
            <Button
              kind="primary"
              title="Trains with these pictures"
              isDisabled={new Set(shots.map((each) => each.label)).size < 2}
              onClick={() => session.choose('images', { images: shots })}
            >
              Use {shots.length} pictures
            </Button>
            <Button kind="quiet" title="Removes all pictures" onClick={() => setShots([])}>
              Clear
            </Button>
          </div>
        </>
      )}
    </div>
  )
}
