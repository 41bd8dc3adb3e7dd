/** One object on the way from a module to its nodes, and whether it is as it should be. */
export type Step = StepObject & (Right | NotRight);

export type StepObject = { kind: string; name: string; namespace?: string };

type Right = { state: 'ok'; message: string };
/** `unknown`: it may not be read. */
type NotRight = {
  state: 'waiting' | 'wrong' | 'unknown';
  message: string;
  /** What the person who asked should do next. */
  remedy: string;
};

/**
 * What is to be looked at first: the first that is wrong, since what waits before it waits for that; else the first that waits
 * or may not be read.
 */
export function firstNotRight(steps: readonly Step[]): Extract<Step, NotRight> | undefined {
  const notRight = steps.filter((step) => step.state !== 'ok');
  return notRight.find(({ state }) => state === 'wrong') ?? notRight[0];
}

export function ok(object: StepObject, message: string): Step {
  return { ...object, state: 'ok', message };
}

export function wrong(object: StepObject, message: string, remedy: string): Step {
  return { ...object, state: 'wrong', message, remedy };
}

export function waiting(object: StepObject, message: string, remedy: string): Step {
  return { ...object, state: 'waiting', message, remedy };
}

export function unknown(object: StepObject, right: string, remedy: string): Step {
  return { ...object, state: 'unknown', message: `you may not ${right}`, remedy };
}
