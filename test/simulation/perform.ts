import { hasCode } from "../../src/errors.ts";
import type { Act } from "./acts.ts";
import { acceptRewrite, create, edit, loseUuid, remove, suspend, touchLeader } from "./acts-in-clusters.ts";
import {
  closeProposal,
  deleteRef,
  gitEdit,
  gitHandle,
  gitLoseUuid,
  gitRollBack,
  mergeProposal,
  rewrite,
} from "./acts-in-git.ts";
import { helmUpgrade, moveCrd, rebuild, reinstall, restore, setFederator, uninstall } from "./acts-of-operators.ts";
import { damageManifest, editManifests, exclude, flip, flipWithout } from "./acts-on-leadership.ts";
import { absorbCluster, absorbGiven, absorbMain, fakeOf, forgive } from "./ledger.ts";
import { headOf, kindOf, nameOf, PROTECTED, type Scene } from "./scene.ts";

/** Does what somebody does, and takes over what came of it. */
export async function perform(scene: Scene, act: Act): Promise<void> {
  const { ledger } = scene;
  ledger.order += 1;
  const before = headOf(scene);
  const told = await enact(scene, act).catch((error: unknown) => {
    // An admission policy binds people too.
    if (hasCode(error, "AG3007")) return null;
    throw error;
  });
  scene.tell(told ?? `(nothing comes of it: ${act.do})`);
  if (told !== null) scene.note(act.do);
  for (const name of scene.names) absorbCluster(ledger, name);
  await absorbMain(ledger);
  await absorbGiven(ledger, before, headOf(scene), "people");
  forgive(ledger);
}

async function enact(scene: Scene, act: Act): Promise<string | null> {
  switch (act.do) {
    case "edit":
      return edit(scene, nameOf(scene, act.at), act.change);
    case "delete":
      return remove(scene, nameOf(scene, act.at), kindOf(act.kind));
    case "create":
      return create(scene, nameOf(scene, act.at), kindOf(act.kind), act.otherName);
    case "git edit":
      return gitEdit(scene, act.change);
    case "git tombstone":
    case "git remove":
    case "git rename":
    case "git break":
      return gitHandle(scene, act.do, kindOf(act.kind));
    case "lose uuid":
      return act.at === null ? gitLoseUuid(scene) : loseUuid(scene, nameOf(scene, act.at));
    case "git roll back":
      return gitRollBack(scene, kindOf(act.kind), act.by);
    case "git rewind":
    case "git rewrite":
      return rewrite(scene, act.by, act.do === "git rewrite");
    case "accept rewrite":
      return acceptRewrite(scene, nameOf(scene, act.at));
    case "git manifest":
      return damageManifest(scene, nameOf(scene, act.at), act.how);
    case "protect":
      if (act.protect) scene.away.add(PROTECTED);
      else scene.away.delete(PROTECTED);
      return `git: the branch ${act.protect ? "takes no pushes" : "takes pushes again"}`;
    case "flip":
      return flip(scene, nameOf(scene, act.to), act.way, act.edit);
    case "flip without handover":
      return flipWithout(scene, nameOf(scene, act.to));
    case "second claim":
      return editManifests(scene, `${nameOf(scene, act.at)} claims too`, (one) =>
        one.cluster === nameOf(scene, act.at) ? { isLeader: true } : {},
      );
    case "nobody leads":
      return editManifests(scene, "no manifest claims", () => ({ isLeader: false }));
    case "exclude":
      return exclude(scene, nameOf(scene, act.at), act.how);
    case "touch isLeader":
      return touchLeader(scene, nameOf(scene, act.at), act.value);
    case "helm upgrade":
      return helmUpgrade(scene, nameOf(scene, act.at), act.newVersion);
    case "suspend":
      return suspend(scene, nameOf(scene, act.at), act.forMs);
    case "time":
      await scene.clock.advance(act.ms);
      return `${act.ms / 1000} s pass`;
    case "restore":
      return restore(scene, nameOf(scene, act.at), act.what, act.back);
    case "reinstall":
      return reinstall(scene, nameOf(scene, act.at));
    case "rebuild":
      return rebuild(scene, nameOf(scene, act.at), act.accepted, act.leads);
    case "delete ref":
      return deleteRef(scene, nameOf(scene, act.at), act.purpose);
    case "merge proposal":
      return mergeProposal(scene, nameOf(scene, act.at), act.way, act.topic);
    case "close proposal":
      return closeProposal(scene, nameOf(scene, act.at));
    case "git away":
    case "api away":
    case "push away": {
      const what = `${act.do.split(" ", 1)[0]} ${nameOf(scene, act.at)}`;
      if (act.away) scene.away.add(what);
      else scene.away.delete(what);
      return `${what} ${act.away ? "cannot be reached" : "can be reached"}`;
    }
    case "crd":
      return moveCrd(scene, nameOf(scene, act.at), kindOf(act.kind), act.there);
    case "uninstall":
      return uninstall(scene, nameOf(scene, act.at));
    case "federator":
      return setFederator(scene, nameOf(scene, act.at), act.there);
    case "credentials": {
      const { without } = act;
      scene.access.grant(without === null ? null : scene.names.filter((_, index) => index !== without));
      const lacks =
        without === null
          ? "is gone"
          : `knows ${scene.names[without] === undefined ? "all" : `not ${scene.names[without]}`}`;
      return `the members' kubeconfig ${lacks}`;
    }
    case "refuse": {
      const kind = kindOf(act.kind);
      fakeOf(scene.ledger, nameOf(scene, act.at)).refuse(kind, act.refuse ? "policy says no" : null);
      return `admission in ${nameOf(scene, act.at)} ${act.refuse ? "refuses" : "takes"} every ${kind}`;
    }
    default:
      return act satisfies never;
  }
}
