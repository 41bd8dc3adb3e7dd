import type { ManagedClusterModule } from '@kmm-hub/api-types';
import type { Fleet } from './fleet.ts';
import { canonical, type RecipePlan } from './recipe.ts';

export type Recipe = Extract<RecipePlan, { kind: 'Recipe' }>;

/**
 * Which images are wanted, and by which modules. Kept per module and worked out again only after something that the
 * module depends on changed.
 */
export class Demand {
  readonly #fleet: Fleet;
  readonly #recipes = new Map<string, ReadonlyMap<string, Recipe>>();
  readonly #wanters = new Map<string, Set<string>>();
  readonly #dirty = new Set<string>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** Something that this module's recipes depend on changed. */
  touch(module: string): void {
    this.#dirty.add(module);
  }

  /** The recipe that counts for an image: of several modules that want it, the oldest one's. */
  recipeFor(imageName: string): { recipe: Recipe; owner: ManagedClusterModule } | undefined {
    this.#refresh();
    const modules = [...(this.#wanters.get(imageName) ?? [])].flatMap((name) => this.#fleet.modules.get(name) ?? []);
    const [owner] = modules.sort(byAge);
    const recipe = owner && this.#recipes.get(owner.metadata.name)?.get(imageName);
    return recipe && owner && { recipe, owner };
  }

  /** Names of the modules that want the image. */
  wanters(imageName: string): string[] {
    this.#refresh();
    return [...(this.#wanters.get(imageName) ?? [])];
  }

  /** Images that the module wants. */
  recipesOf(module: string): ReadonlyMap<string, Recipe> {
    this.#refresh();
    return this.#recipes.get(module) ?? new Map();
  }

  /** The older module whose recipe for this target differs from this one's; undefined when there is no conflict. */
  conflictOf(module: string, recipe: Recipe): string | undefined {
    const winner = this.recipeFor(recipe.imageName);
    if (winner === undefined) return undefined;
    const same = canonical(winner.recipe.spec) === canonical(recipe.spec);
    return same ? undefined : winner.owner.metadata.name === module ? module : winner.owner.metadata.name;
  }

  #refresh(): void {
    for (const name of this.#dirty) {
      for (const image of this.#recipes.get(name)?.keys() ?? []) this.#drop(image, name);
      const module = this.#fleet.modules.get(name);
      const recipes = module === undefined ? new Map<string, Recipe>() : this.#fleet.recipesOf(module);
      if (recipes.size === 0) this.#recipes.delete(name);
      else this.#recipes.set(name, recipes);
      for (const image of recipes.keys()) this.#wanters.set(image, (this.#wanters.get(image) ?? new Set()).add(name));
    }
    this.#dirty.clear();
  }

  #drop(image: string, module: string): void {
    const wanters = this.#wanters.get(image);
    wanters?.delete(module);
    if (wanters?.size === 0) this.#wanters.delete(image);
  }
}

function byAge(a: ManagedClusterModule, b: ManagedClusterModule): number {
  const [first, second] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp ?? ''}\0${metadata.name}`);
  return (first ?? '') < (second ?? '') ? -1 : 1;
}
