<?php

namespace MediaWiki\Extension\CentralAuth\User;

use ApiQueryBase;
use Wikimedia\ParamValidator\ParamValidator;

/** meta=globaluserinfo: the person of an id, and the accounts. */
class ApiGlobalUserInfo extends ApiQueryBase {

	public function __construct( $query, $name ) {
		parent::__construct( $query, $name, 'gui' );
	}

	public function execute() {
		$given = $this->extractRequestParams();
		$person = CentralAuthUser::newPrimaryInstanceFromId( $given['id'] );
		$this->getResult()->addValue( 'query', $this->getModuleName(),
			$person->exists() && !$person->isHidden() ? $this->about( $person ) : [ 'missing' => true ] );
	}

	private function about( CentralAuthUser $person ): array {
		$merged = [];
		foreach ( $person->accounts() as $account ) {
			$merged[] = [
				'wiki' => $account['lu_wiki'],
				'id' => (int)$account['lu_local_id'],
				'timestamp' => wfTimestamp( TS_ISO_8601, $account['lu_attached_timestamp'] ),
			];
		}
		return [
			'home' => $person->homeWiki(), 'id' => $person->getId(), 'name' => $person->getName(), 'merged' => $merged,
		];
	}

	public function getAllowedParams() {
		return [
			'id' => [ ParamValidator::PARAM_TYPE => 'integer' ],
			'prop' => [ ParamValidator::PARAM_TYPE => [ 'merged' ], ParamValidator::PARAM_ISMULTI => true ],
		];
	}
}
